"""A whole program: train a small network on 150 flowers with Tarazu."""

from workloads import iris_like

import tarazu as tz

x, y = iris_like()
model = tz.nn.Sequential([tz.nn.Dense(16, activation="relu"), tz.nn.Dense(3)])
model.compile(tz.optim.Adam(lr=0.01), "cross_entropy", metrics=["accuracy"])
print(model.fit(x, y, epochs=50, batch_size=16, verbose=False)[-1]["accuracy"])
