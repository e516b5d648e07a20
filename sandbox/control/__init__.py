"""Control calls for programs: look at what happened, act as a person would, disturb, move time, start over."""
