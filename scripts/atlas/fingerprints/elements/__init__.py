"""Elements of tensors: read by range, decode, round and hash, in bounded memory."""
