"""Learning-rate schedules: functions of the step count.

decay.py has those that fall, cycles.py those that rise too, joined.py those that are made of others, and epochs.py
`in_epochs`.
"""
