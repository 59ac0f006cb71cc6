"""Workflows: what they may do, what starts them, and doing it step by step.

Above the services, because the extension's own actions call them.
"""
