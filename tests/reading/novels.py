"""Short texts in many languages, as their novels look."""

from tests.conftest import make_story

SIMPLIFIED = make_story(3000)
TRADITIONAL = (
    "詩曰：混沌未分天地亂，茫茫渺渺無人見。那猴王說：「這個好！你們都來，不要走。」\n" * 40
)
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n" * 40
KOREAN = "그는 그날 밤 집으로 돌아가지 않았다. 비가 내리고 있었고, 거리에는 아무도 없었다.\n" * 20
ENGLISH = "“It’s done,” he said — “that’s all… and there’s no more of it.”\n" * 10
FRENCH = "Longtemps, je me suis couché de bonne heure, à peine ma bougie éteinte.\n" * 10
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy. Byl večerní máj, byl lásky čas.\n" * 10
POLISH = "Zażółć gęślą jaźń. W Szczebrzeszynie chrząszcz brzmi w trzcinie.\n" * 10
RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастливая по-своему.\n" * 10
GREEK = "Μια φορά κι έναν καιρό ήταν ένας βασιλιάς που είχε τρεις κόρες.\n" * 10
TURKISH = "Güneş doğdu, çocuklar ağlıyordu ve şöyle dediler: bir varmış bir yokmuş.\n" * 10
HEBREW = "בראשית ברא אלהים את השמים ואת הארץ והארץ היתה תהו ובהו\n" * 10
ARABIC = "كان يا ما كان في قديم الزمان ملك له ثلاث بنات وكانت الصغرى أجملهن\n" * 10
THAI = "กาลครั้งหนึ่งนานมาแล้ว มีพระราชาองค์หนึ่งมีพระธิดาสามองค์\n" * 10
