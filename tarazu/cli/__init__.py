"""The `tarazu` command: main.py has the commands and options, show.py what they print, lab.py the commands for labs.

destination.py says where they write, closed_pipe.py keeps quiet where nobody reads on; launch.py starts several
processes; quiz.py asks the quizzes of the course; serve.py answers requests over HTTP.
"""
