"""Labs: work for students, with a template, a solution and a grader.

files/LANGUAGE/LAB.py is a solution, from which template.py makes the template. iris.py and mnist.py have the parts of
each lab with their judges, part.py says what a part is, numbers.py has what both measure; student.py calls a student's
functions. child.py runs the parts in a process of its own, which grade.py starts, and stops when its time is over.
"""

from __future__ import annotations

from tarazu.course.labs.grade import Grade, Mark, grade
from tarazu.course.labs.template import LABS, solution, template

__all__ = ["LABS", "Grade", "Mark", "grade", "solution", "template"]
