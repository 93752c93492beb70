"""The project's own stages, each as a program that runs alone and says how long it took."""
