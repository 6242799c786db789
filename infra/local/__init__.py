"""Mailbridge on one machine: Google's emulators, two simulators and the functions, started by one program."""
