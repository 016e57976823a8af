"""`cardiod doctor`, check by check: each on something that is broken, and on the same thing whole."""
