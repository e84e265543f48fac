"""Learning-rate schedules: functions of the step count; those that fall, that go round, that join others, in epochs."""
