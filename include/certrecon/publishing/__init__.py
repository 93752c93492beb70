"""Publishing: the guards before it, the batches of it, and what Ditio made of each row."""
