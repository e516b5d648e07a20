"""Sessions on Discord: seen, booked, canceled by students; seen and marked by mentors."""
