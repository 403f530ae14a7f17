"""What the measuring scripts share: servers as child processes, goals, instruction counts, the machine."""
