"""The schemas of JSON that crosses a border: rules, windows, API bodies."""
