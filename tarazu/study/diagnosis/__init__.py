"""The diagnosis: evidence from studies of an experiment, weighed into probabilities of causes.

diagnose.py has the public function, diagnosis.py what it gives (findings.py: as data, report.py: as a page, with
pictures.py), evidence.py and row_findings.py its numbers and rows; investigation.py is the course of the trials,
decide.py weighs their gains, causes.py names the causes. row_evidence.py, second_opinion.py and wrong_targets.py look
at the rows.
"""
