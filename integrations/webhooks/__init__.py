"""Partner systems told by signed HTTP: who subscribes, what is owed, the sending of it, and what could not be sent."""
