"""The judge: rules that turn a history into findings, and findings into a verdict.

judge.py calls the rules in order, and says which finding decides the verdict. rules.py has those about bias and
variance (overfitting: `gap` and `validation_rise`), evidence_rules.py those about the evidence itself. thresholds.py
has their bounds, with reasons; advice.py what to try. symptoms.py, measurements.py and formatting.py are shared.
"""
