"""`cardiod doctor`: whether the service is installed as it should be, and able to do its work."""
