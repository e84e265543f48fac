"""What people see of native programs: their schedule as text, and the time that each step takes."""
