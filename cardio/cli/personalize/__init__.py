"""`cardio personalize`, `cardio verify`, `cardio mailer` and `cardio register`."""
