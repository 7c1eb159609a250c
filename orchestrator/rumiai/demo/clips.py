"""The clips themselves: one to look at, one to measure with."""

from __future__ import annotations

from rumiai.demo.spec import Caption, ClipSpec, Shot, Utterance, View

_YELLOW = (255, 221, 51)
_RED = (214, 40, 57)
_NAVY = (20, 30, 70)
_TEAL = (0, 121, 107)
_CAPTION_Y = 0.30


def demo_spec() -> ClipSpec:
    """A portrait clip of 17 s with all a short video has: hook, list, call to action, faces, cuts, speech, music."""
    shots = (
        Shot("astronaut", 3.8, View(0.45, 0.3, 1.15), View(0.45, 0.28, 1.4)),
        Shot("coffee", 3.6, View(0.35, 0.5, 1.1), View(0.6, 0.5, 1.1)),
        Shot("bus", 3.4, View(0.5, 0.55, 1.3), View(0.45, 0.6, 1.0)),
        Shot("zidane", 3.2, View(0.72, 0.5, 1.0), View(0.66, 0.5, 1.0)),
        Shot("hopper", 3.0, View(0.5, 0.4, 1.25)),
    )
    captions = (
        Caption("STOP\nSCROLLING", 0.2, 2.0, (0.5, 0.66), 0.066),
        Caption("3 habits that\nchanged my day", 2.2, 3.7, (0.5, 0.70), 0.040, box=_NAVY, outline=None),
        Caption("1. Coffee after\nbreakfast", 4.0, 7.2, (0.5, _CAPTION_Y), 0.046),
        Caption("not before!", 5.6, 7.2, (0.5, 0.72), 0.036, colour=(30, 30, 30), outline=None, box=_YELLOW),
        Caption("2. Take the bus", 7.6, 10.6, (0.5, 0.20), 0.048, fade_s=0.2),
        Caption("saves $80 a month", 8.6, 10.6, (0.5, 0.86), 0.034, outline=None, box=_TEAL),
        Caption("3. Call a friend", 11.0, 13.8, (0.5, 0.78), 0.050, colour=_YELLOW),
        Caption("FOLLOW FOR MORE", 14.1, 17.0, (0.5, 0.74), 0.046, outline=None, box=_RED),
        Caption("Save this video", 15.2, 17.0, (0.5, 0.83), 0.036, font="sans"),
        Caption("@rumiai.demo", 0.0, 17.0, (0.80, 0.035), 0.022),
    )
    speech = (
        Utterance("Stop scrolling! Here are the habits that changed my day.", 0.1),
        Utterance("First, have your coffee after breakfast.", 4.0),
        Utterance("Second, leave the car and take the bus.", 7.6),
        Utterance("Third, call a friend every day.", 11.0),
        Utterance("Follow me for more, and save this video.", 14.2),
    )
    return ClipSpec(shots, captions, speech, music_bpm=100.0)


def bench_spec() -> ClipSpec:
    """A portrait clip of 30 s for measurements: moving and still cameras, people, 14 captions, some 20 s of speech."""
    shots = (
        Shot("bus", 3.0, View(0.5, 0.55, 1.3), View(0.45, 0.6, 1.0)),
        Shot("zidane", 3.5, View(0.70, 0.5, 1.0)),
        Shot("astronaut", 3.5, View(0.45, 0.3, 1.15), View(0.45, 0.28, 1.4)),
        Shot("coffee", 2.5, View(0.4, 0.5, 1.1), grain=3.0),
        Shot("hopper", 4.0, View(0.5, 0.4, 1.1), View(0.5, 0.35, 1.3)),
        Shot("cat", 3.0, View(0.45, 0.5, 1.0), grain=2.0),
        Shot("motorcycle", 2.5, View(0.3, 0.5, 1.0), View(0.7, 0.5, 1.0)),
        Shot("zidane", 3.0, View(0.30, 0.5, 1.2), View(0.36, 0.5, 1.0)),
        Shot("rocket", 2.0, View(0.5, 0.5, 1.0), View(0.5, 0.3, 1.3)),
        Shot("bus", 3.0, View(0.25, 0.7, 1.8)),
    )
    captions = (
        Caption("WAIT FOR THE END", 0.3, 2.8, (0.5, 0.20), 0.046),
        Caption("My morning routine", 3.2, 6.3, (0.5, 0.80), 0.044, outline=None, box=_NAVY),
        Caption("Step 1", 6.7, 9.8, (0.5, 0.66), 0.060, colour=_YELLOW),
        Caption("Wake up at six", 7.7, 9.8, (0.5, 0.74), 0.040),
        Caption("Step 2", 10.2, 12.4, (0.5, 0.16), 0.060, colour=_YELLOW),
        Caption("One cup of coffee", 10.9, 12.4, (0.5, 0.76), 0.040, fade_s=0.2),
        Caption("Step 3", 12.7, 16.3, (0.5, 0.72), 0.060, colour=_YELLOW),
        Caption("Read the news", 13.7, 16.3, (0.5, 0.80), 0.040, font="serif-bold"),
        Caption("Feed the cat!", 16.8, 19.3, (0.5, 0.16), 0.050, outline=None, box=_TEAL),
        Caption("Ride to work", 19.7, 21.8, (0.5, 0.14), 0.050),
        Caption("Meet the team", 22.2, 24.8, (0.5, 0.82), 0.046, outline=None, box=_NAVY),
        Caption("100% worth it", 25.2, 26.9, (0.5, 0.74), 0.050),
        Caption("LIKE AND FOLLOW", 27.2, 30.0, (0.5, 0.20), 0.046, outline=None, box=_RED),
        Caption("@rumiai.bench", 0.0, 30.0, (0.80, 0.035), 0.022),
    )
    speech = (
        Utterance("This is how I start every single day.", 0.3),
        Utterance("I was tired all the time, so I changed my morning routine.", 3.2),
        Utterance("First, I wake up early and open the window.", 7.2),
        Utterance("Then I make one cup of coffee and read the news.", 11.0),
        Utterance("After that I feed the cat and ride my motorcycle to work.", 16.0),
        Utterance("My friends at work say that I look much better.", 20.6),
        Utterance("Like and follow, and tell me about your morning.", 25.4),
    )
    return ClipSpec(shots, captions, speech, music_bpm=120.0)
