"""The failed-transactions queue in people's hands: look, replay, redrive, discard (docs/failures-queue.md)."""
