"""Ditio's certificates, employees and users in whole, with the documented requirements."""
