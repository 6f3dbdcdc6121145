"""The simulator's count of tokens: a rule anyone can redo by hand.

A text costs one token for every four characters, rounded up; a message, a tool or a tool call costs four more; an image
costs 85 and a file 100. Real tokenizers differ by some ten percent on English prose, which is near enough for a budget
and far enough that nobody should bill by it.
"""

CHARACTERS_PER_TOKEN = 4
ITEM_OVERHEAD = 4
IMAGE_TOKENS = 85
FILE_TOKENS = 100


def count_tokens(text: str) -> int:
    """Tokens of one text, 0 for the empty one."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def cut_to_tokens(text: str, limit: int) -> str:
    """The longest start of `text` that costs at most `limit` tokens."""
    return text[: max(limit, 0) * CHARACTERS_PER_TOKEN]
