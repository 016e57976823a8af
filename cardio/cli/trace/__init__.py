"""`cardio trace`: explains a recorded exchange with a card, command by command."""
