"""How the stages are arranged: definitions, jobs, schedules, the headless run and the command line."""
