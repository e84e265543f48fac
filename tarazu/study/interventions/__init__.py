"""What would help a fit, measured: the same with one thing changed, over the same seeds and validation rows.

remedies.py has the public function and result.py what it gives, with chart.py its picture; table.py is the table of
what is changed, comparison.py makes the fits, paired.py gains with intervals of them.
"""
