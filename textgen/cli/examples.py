"""What the help of a command ends with: what somebody wants, and the command that does it."""

EXAMPLES: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {
    (): (
        ("See all of it at work, in three minutes:", "textgen demo"),
        ("Train on a novel of your own, and let the model write:", "textgen train novel.txt"),
        ("", "textgen generate --prefix 却说"),
    ),
    ("train",): (
        ("Train on a novel for ten minutes:", "textgen train novel.txt --name novel --minutes 10"),
        ("Go on with a run where it was stopped:", "textgen train --resume novel --minutes 5"),
        ("Try on the sample what the source document does:", "textgen train --preset classic"),
        (
            "Keep the settings in a file, and train with them:",
            "textgen train --print-config > my.toml",
        ),
        ("", "textgen train novel.txt --config my.toml"),
    ),
    ("generate",): (
        (
            "Write on from a beginning with the newest run:",
            "textgen generate --prefix 却说 --length 500",
        ),
        (
            "Write three sentences, three times:",
            "textgen generate novel --prefix 却说 --sentences 3 --samples 3",
        ),
        (
            "Go on from a file, or from what another program prints:",
            "textgen generate --prefix-file chapter.txt",
        ),
        ("", "echo 却说 | textgen generate --prefix -"),
        ("A beginning that begins with a hyphen:", "textgen generate --prefix=-5度"),
    ),
    ("write",): (
        ("Write together with the newest run:", "textgen write"),
        ("Let a run take more risks:", "textgen write novel --temperature 1.1"),
    ),
    ("evaluate",): (
        ("Judge the newest run on what it was not trained on:", "textgen evaluate"),
        (
            "Judge a run on another text, and colour that:",
            "textgen evaluate novel other.txt --heatmap page.html",
        ),
    ),
    ("runs",): (
        ("List all runs, the best first:", "textgen runs --sort bits"),
        ("Give one away, or remove it:", "textgen runs export novel novel.zip"),
        ("", "textgen runs rm novel"),
    ),
    ("report",): (
        ("Write a page about the newest run:", "textgen report"),
        ("Lay two runs over each other:", "textgen report first second --output both.html"),
    ),
    ("monitor",): (
        ("Watch all runs in the browser:", "textgen monitor --open"),
        ("Let other machines see them:", "textgen monitor --host 0.0.0.0"),
    ),
    ("serve",): (
        ("Write in the browser with the newest run:", "textgen serve --open"),
        ("Answer programs on another port:", "textgen serve novel --port 8080"),
    ),
}
"""By the words of the command. A command without a purpose belongs to the one before it."""
