"""What we tell people outside the app: e-mail without any clinical word."""
