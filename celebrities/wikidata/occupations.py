"""Occupations and countries by Wikidata id, with the words people use for them."""

from __future__ import annotations

from collections.abc import Mapping

from celebrities.wikidata.sparql import is_item_id

OCCUPATIONS: dict[str, tuple[str, str]] = {
    "Q33999": ("actor", "актёр"),
    "Q10800557": ("film actor", "киноактёр"),
    "Q10798782": ("television actor", "телеактёр"),
    "Q2259451": ("stage actor", "актёр театра"),
    "Q2405480": ("voice actor", "актёр озвучивания"),
    "Q970153": ("child actor", "ребёнок-актёр"),
    "Q42973": ("architect", "архитектор"),
    "Q483501": ("artist", "художник"),
    "Q1028181": ("painter", "живописец"),
    "Q1281618": ("sculptor", "скульптор"),
    "Q3391743": ("visual artist", "художник-визуалист"),
    "Q11631": ("astronaut", "космонавт"),
    "Q2066131": ("athlete", "спортсмен"),
    "Q937857": ("footballer", "футболист"),
    "Q19204627": ("american football player", "игрок в американский футбол"),
    "Q3665646": ("basketball player", "баскетболист"),
    "Q10871364": ("baseball player", "бейсболист"),
    "Q10833314": ("tennis player", "теннисист"),
    "Q10843402": ("swimmer", "пловец"),
    "Q11774891": ("ice hockey player", "хоккеист"),
    "Q11338576": ("boxer", "боксёр"),
    "Q13381572": ("gymnast", "гимнаст"),
    "Q13219587": ("figure skater", "фигурист"),
    "Q10349745": ("racing driver", "автогонщик"),
    "Q10841764": ("formula one driver", "пилот формулы-1"),
    "Q10873124": ("chess player", "шахматист"),
    "Q11513337": ("athletics competitor", "легкоатлет"),
    "Q12299841": ("cricketer", "крикетист"),
    "Q2309784": ("cyclist", "велогонщик"),
    "Q11303721": ("golfer", "гольфист"),
    "Q13474373": ("professional wrestler", "рестлер"),
    "Q11607585": ("mixed martial artist", "боец смешанных единоборств"),
    "Q43845": ("business person", "предприниматель"),
    "Q131524": ("entrepreneur", "бизнесмен"),
    "Q3499072": ("chef", "шеф-повар"),
    "Q156839": ("cook", "повар"),
    "Q245068": ("comedian", "комик"),
    "Q18545066": ("stand-up comedian", "стендап-комик"),
    "Q5716684": ("dancer", "танцор"),
    "Q805221": ("ballet dancer", "артист балета"),
    "Q2490358": ("choreographer", "хореограф"),
    "Q2526255": ("film director", "кинорежиссёр"),
    "Q3455803": ("director", "режиссёр"),
    "Q1414443": ("filmmaker", "кинематографист"),
    "Q2059704": ("television director", "телережиссёр"),
    "Q1930187": ("journalist", "журналист"),
    "Q947873": ("television presenter", "телеведущий"),
    "Q40348": ("lawyer", "адвокат"),
    "Q16533": ("judge", "судья"),
    "Q185351": ("jurist", "юрист"),
    "Q4610556": ("model", "модель"),
    "Q3357567": ("fashion model", "манекенщица"),
    "Q189290": ("military officer", "военный"),
    "Q116": ("monarch", "монарх"),
    "Q2478141": ("aristocrat", "аристократ"),
    "Q639669": ("musician", "музыкант"),
    "Q177220": ("singer", "певец"),
    "Q488205": ("singer-songwriter", "автор-исполнитель"),
    "Q753110": ("songwriter", "автор песен"),
    "Q2252262": ("rapper", "рэпер"),
    "Q36834": ("composer", "композитор"),
    "Q486748": ("pianist", "пианист"),
    "Q855091": ("guitarist", "гитарист"),
    "Q1259917": ("violinist", "скрипач"),
    "Q158852": ("conductor", "дирижёр"),
    "Q130857": ("dj", "диджей"),
    "Q2865819": ("opera singer", "оперный певец"),
    "Q4964182": ("philosopher", "философ"),
    "Q33231": ("photographer", "фотограф"),
    "Q39631": ("physician", "врач"),
    "Q774306": ("surgeon", "хирург"),
    "Q82955": ("politician", "политик"),
    "Q193391": ("diplomat", "дипломат"),
    "Q372436": ("statesman", "государственный деятель"),
    "Q42603": ("priest", "священник"),
    "Q901": ("scientist", "учёный"),
    "Q169470": ("physicist", "физик"),
    "Q593644": ("chemist", "химик"),
    "Q170790": ("mathematician", "математик"),
    "Q864503": ("biologist", "биолог"),
    "Q11063": ("astronomer", "астроном"),
    "Q82594": ("computer scientist", "информатик"),
    "Q188094": ("economist", "экономист"),
    "Q201788": ("historian", "историк"),
    "Q81096": ("engineer", "инженер"),
    "Q205375": ("inventor", "изобретатель"),
    "Q1650915": ("researcher", "исследователь"),
    "Q36180": ("writer", "писатель"),
    "Q482980": ("author", "автор"),
    "Q6625963": ("novelist", "романист"),
    "Q49757": ("poet", "поэт"),
    "Q214917": ("playwright", "драматург"),
}
"""Words in English and Russian. The English ones are those that `categories` knows, except for a
few sports, which `CATEGORY_OF` places."""

CATEGORY_OF = {
    "formula one driver": "racing driver",
    "cricketer": "athlete",
    "cyclist": "athlete",
    "golfer": "athlete",
    "professional wrestler": "athlete",
    "mixed martial artist": "athlete",
}

COUNTRIES: dict[str, tuple[str, ...]] = {
    "Q30": ("united states", "usa", "сша"),
    "Q145": ("united kingdom", "uk", "великобритания"),
    "Q16": ("canada", "канада"),
    "Q408": ("australia", "австралия"),
    "Q27": ("ireland", "ирландия"),
    "Q142": ("france", "франция"),
    "Q183": ("germany", "германия"),
    "Q38": ("italy", "италия"),
    "Q29": ("spain", "испания"),
    "Q45": ("portugal", "португалия"),
    "Q34": ("sweden", "швеция"),
    "Q36": ("poland", "польша"),
    "Q43": ("turkey", "турция"),
    "Q159": ("russia", "россия"),
    "Q15180": ("soviet union", "ussr", "ссср"),
    "Q212": ("ukraine", "украина"),
    "Q232": ("kazakhstan", "казахстан"),
    "Q668": ("india", "индия"),
    "Q148": ("china", "китай"),
    "Q17": ("japan", "япония"),
    "Q884": ("south korea", "южная корея"),
    "Q155": ("brazil", "бразилия"),
    "Q96": ("mexico", "мексика"),
    "Q414": ("argentina", "аргентина"),
    "Q1033": ("nigeria", "нигерия"),
    "Q258": ("south africa", "юар"),
    "Q79": ("egypt", "египет"),
}


def find_item(text: str, known: Mapping[str, tuple[str, ...]]) -> str:
    """The Wikidata id that a word, in either language, or an id itself stands for.

    Raises ValueError for any other word.
    """
    word = " ".join(text.lower().replace("ё", "е").split())
    if is_item_id(word.upper()):
        return word.upper()
    for id, words in known.items():
        if word in {each.replace("ё", "е") for each in words}:
            return id
    raise ValueError(f"{text!r} is neither a Wikidata id, such as Q33999, nor a word known here")
