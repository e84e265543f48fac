"""One training run: the compiled step, the chunks that it runs in, and what happens when it diverges.

compile.py chooses the trainer of a model. trainer.py has the steps of a chunk as a traced function, and is the base of
of_outputs.py, which compares outputs (outputs.py) with targets, and of own_steps.py, for models with a `compute_loss`
or `train_step` of their own. precision.py has mixed precision and loss scaling; run.py the run as callbacks see it;
run_chunk.py runs a chunk and finds the step at which the loss became NaN or infinite; divergence.py ends such a run and
names the likely cause; snapshot.py keeps values to go back to; first_output.py checks that losses get logits,
own_losses.py what the losses of users give.
"""
