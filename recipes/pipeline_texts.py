"""The texts that pipeline goldens are called with; none is in the tokenizers' training text as it stands here."""

SHORT = [
    "Ada met Charles in London.",
    "What a lovely, lovely film!",
    "I did not like the soup; it was cold and far too salty.",
    "Søren and José doesn't know the café's address...",
    "",
    " leading and trailing spaces  ",
]
UNICODE = [
    "Où est l'œuvre de François-Xavier à Besançon ?",
    "Die Größe der Straße überraschte Jürgen Müller in Köln.",
    "北京和東京 are cities; 서울은 too, Москва and Αθήνα.",
    "Cafe\u0301 nai\u0308ve e\u0301te\u0301 with combining marks in Zu\u0308rich",
    "emoji 😀👨‍👩‍👧🇫🇷👍🏽 between words😡and after",
    "नमस्ते दिल्ली, هذا كتاب جميل, שלום ירושלים",
    "tabs\tand\nnew lines\u00a0no-break\u2003em\u200bzero ＡＢＣ ﬁne",
]
LONG = ("Grace Hopper was born in New York City and studied at Yale before she joined the Navy. "
        "In Philadelphia she worked with John Mauchly on the UNIVAC, and later the United Nations invited her to Geneva. "
        "Alan Turing met Max Newman in Cambridge; together they went to Manchester, where a new machine was built. "
        "Søren Ærø lives in København, François in Orléans, and 山田太郎 in 東京 with Миша from Москва. ")
NEWS = ("The city council of Lima met on Tuesday. It was decided that the old bridge over the Rímac will be repaired "
        "before the winter, at a cost of 4.5 million soles. Engineer Lucía Fernández, who has worked on bridges in "
        "Peru and Chile for twenty years, will lead the team. The work begins in March and ends in October, unless "
        "the river floods. The bridge was built in 1610 and is called the Stone Bridge. In the last century two "
        "trams crossed it every hour; today it carries buses, bicycles and people on foot. "
        "Shopkeepers near the bridge asked the council to keep one lane open. The council agreed: one lane will stay "
        "open from 6:00 to 20:00, and shops will pay no tax in April and May. ")
ENTITY_WORDS = [["Marie", "Curie", "worked", "in", "Paris", "and", "Warszawa", "."],
                ["O'Brien", "'s", "café", "😀", "in", "New", "York", "City"]]
