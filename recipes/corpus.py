"""The text that the golden tokenizers are trained on: written for this project, in many scripts, with odd characters."""

TRAIN = """\
Ada Lovelace met Charles Babbage in London in June 1833, and they wrote to each other for many years.
The engine has no pretensions to originate anything; it can do whatever we know how to order it to perform.
Marie Curie was born in Warsaw and worked in Paris, where she won two prizes and taught at the university.
The city council of Rotterdam met on Monday to talk about the new bridge over the river.
A small boat left the harbour before sunrise and came back with three baskets of silver fish.
I did not like the film at all: the story was slow, the music was loud, and nobody laughed.
What a lovely film! We laughed, we cried, and we went back to see it again on Sunday.
The food was cold and the waiter was rude, but the view of the mountains was wonderful.
She doesn't think that it's a good idea; they haven't asked whether we'd agree, and I'm tired.
My phone stopped working yesterday, and the shop won't repair it without the receipt.
Who invented the printing press? Johannes Gutenberg printed a Bible in Mainz around 1455.
Where do the swallows spend the winter? They fly from Europe to Africa, across the Sahara.
How many people live in Iceland? About 380,000, most of them in or near Reykjavik.
The capital of Kenya is Nairobi; the capital of Peru is Lima; the capital of Japan is Tokyo.
When the rain stopped, the children ran into the garden and played until dinner was ready.
Scientists at the institute measured the temperature of the ocean every hour for twelve years.
The price of bread rose by 4.5 % in March, while the price of milk fell by 0.8 %.
He bought 12 eggs, 3 lemons and a bag of flour for $7.40 at the corner shop on 21st Street.
This example is about sport. This example is about politics. This example is about cooking.
The team won the match by three goals to one and will play in the final on Saturday.
The minister said that taxes would not rise before the election, but few people believed him.
Mix the butter with the sugar, add the eggs one by one, and bake the cake for forty minutes.
The museum of modern art opens at 10:00 and closes at 18:30; tickets cost twelve euros.
Grace Hopper found a moth in the machine at Harvard, and the team taped it into the log book.
Alan Turing worked at Bletchley Park; Katherine Johnson computed orbits for NASA in Virginia.
The United Nations was founded in San Francisco in 1945; its headquarters are in New York City.
Nintendo began in Kyoto as a maker of playing cards; Nokia began with paper and rubber boots.
An unbelievable, unforgettable, uninteresting, unreadable and untranslatable sentence ended here.
The quick brown fox jumps over the lazy dog while five boxing wizards jump quickly.
Der schnelle braune Fuchs springt über den faulen Hund; die Straße nach München ist gesperrt.
Größe, Übermut und Ärger: im Frühling blühen die Kirschbäume hinter der alten Mühle.
Où est la bibliothèque ? Elle est à côté de la gare, près du café où nous avons déjeuné.
L'été dernier, nous sommes allés à Besançon ; c'était très agréable, même sous la pluie.
Le garçon a mangé un œuf, une crêpe et du pâté, puis il s'est endormi dans le train de Nîmes.
El niño comió una piña en la montaña mientras su abuela leía el periódico en español.
¿Dónde está la estación? Mañana viajaremos de Málaga a A Coruña con mi tío José.
São Paulo é a maior cidade do Brasil; a avó não gosta de café, mas adora pão de queijo.
Smørrebrød og rødgrød med fløde er bedst på en ø; Søren bor i Ærøskøbing, Åse i Tromsø.
Zażółć gęślą jaźń; w Łodzi mieszka pięciu żeglarzy, a w Gdańsku wieje zimny wiatr.
Příliš žluťoučký kůň úpěl ďábelské ódy; v Brně a v Plzni je dnes hezky.
Ta đi chợ mua cá, rau và một ít gạo; Hà Nội và Đà Nẵng hôm nay trời mưa.
Быстрая коричневая лиса прыгает через ленивую собаку; Анна живёт в Москве у реки.
Де моя книга? Київ і Львів стоять на пагорбах, а Одеса лежить біля моря.
Η γρήγορη αλεπού πηδάει πάνω από το τεμπέλικο σκυλί· η Αθήνα είναι πρωτεύουσα.
هذا كتاب جميل عن تاريخ القاهرة، وقد كتبته ليلى في بيت صغير قرب النيل.
זה ספר יפה על ירושלים, והילדה קראה אותו בבית ליד הים.
नमस्ते, मेरा नाम अनिता है और मैं दिल्ली में रहती हूँ; आज मौसम अच्छा है।
สวัสดีครับ ผมชื่อสมชาย อยู่ที่กรุงเทพฯ วันนี้อากาศดีมาก
東京は日本の首都です。昨日は雨が降りましたが、今日はとても良い天気です。
カタカナとひらがなと漢字を使います。コーヒーを飲みながら新聞を読む。
北京是中国的首都。我喜欢在图书馆看书,也喜欢喝茶。
서울은 한국의 수도입니다. 오늘은 날씨가 아주 좋아서 공원에 갔습니다.
I love it 😀 and she hates it 😡; the family 👨‍👩‍👧 went to the beach 🏖️ in 🇫🇷 with a 👍🏽.
Cafe\u0301 and nai\u0308ve are written with combining marks; ﬁne and oﬀer with ligatures; ＡＢＣ１２３ is full width.
Tabs\tand\u00a0no-break spaces\u2003em spaces, a soft\u00adhyphen and a zero\u200bwidth space are hard to see.
Mail me at ada@example.org or see https://example.org/docs?page=2#top for the C++ and C# notes.
"Quotes", 'single ones', «guillemets», „low ones“ and — dashes – of … every kind; 3 × 4 = 12, 5 ≤ 6, ½ + ¼.
x = f(a[i], b_j) * 2 ** n; if (x != y && !z) { return "done"; } // a line of code
McDonald's CEO O'Brien flew from JFK to LAX on a Boeing 747-400ER with the ex-president's staff.
""".splitlines()
