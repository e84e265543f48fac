"""One training run: the compiled step, the chunks that it runs in, and what happens when it diverges.

trainer.py has the step as a traced function; precision.py mixed precision and loss scaling; run.py the run as callbacks
see it; run_chunk.py runs a chunk and finds the step at which the loss became NaN or infinite; divergence.py ends such a
run and names the likely cause; snapshot.py keeps values to go back to; logits.py checks that losses get logits,
own_losses.py what the losses of users give.
"""
