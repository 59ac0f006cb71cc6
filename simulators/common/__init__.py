"""What every simulated vendor has, whatever it sells: a clock, faults, a request log and a control page."""
