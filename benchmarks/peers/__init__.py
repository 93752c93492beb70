"""What a user would pick instead, and the limits, each as a program that runs alone."""
