# SPDX-License-Identifier: MIT
"""Land seen from above: what land-cover maps call it, and which of FlightGear's terrain textures shows what.

The words are those of the textures' own material classes and of CORINE, the European land-cover nomenclature; a word's
parent is the heading it stands under.  A word WordNet has keeps the place WordNet gives it.
"""

HEADINGS = {        # heading: (what it is, its own heading)
    "artificial surface": ("land covered by buildings, streets and other works of people", None),
    "agricultural area": ("land used for growing crops or keeping animals", None),
    "natural vegetation": ("land covered by plants that nobody has sown or planted", None),
    "bare ground": ("open land with little or no vegetation", None),
    "water body": ("a stretch of open water", None),
    "wetland": ("land soaked with water, flooded for a part of the year", None)}
GLOSS = {           # heading: {name: what it is}
    "artificial surface": {
        "residential area": "where people live, houses with streets and gardens", "residential buildings": "houses in which people live",
        "residential land": "land covered by houses and gardens", "houses": "buildings in which people live",
        "suburb": "a residential district at the edge of a city", "housing estate": "a residential area of many similar houses",
        "town": "a settlement of houses and streets, smaller than a city", "village": "a small group of houses in the country",
        "city": "a large densely built settlement", "urban area": "a densely built city area of buildings and streets",
        "urban fabric": "buildings, roads and artificial surfaces close together", "built-up area": "land covered by buildings",
        "city blocks": "blocks of houses between streets", "buildings": "structures with a roof and walls",
        "industrial area": "land of factories, warehouses and works", "industrial buildings": "factories, works and warehouses with large roofs",
        "industrial land": "land used by industry", "factory buildings": "buildings in which goods are made", "factories": "buildings in which goods are made",
        "warehouses": "large buildings for storing goods", "commercial area": "land of shops, offices and warehouses",
        "commercial buildings": "shops, offices and warehouses", "industrial or commercial units": "factories, warehouses and shops with large roofs",
        "port area": "quays, docks and storage yards for ships", "oil tanks": "round tanks in which oil is stored",
        "railway yard": "many railway tracks side by side", "car park": "an open place full of parked cars", "parking lot": "an open place full of parked cars",
        "road": "an open way with a hard surface for vehicles", "highway": "a main road for fast motor traffic", "motorway": "a wide road for fast motor traffic",
        "freeway": "a wide road for fast motor traffic", "main road": "an important road between towns", "road network": "roads and the land beside them",
        "country road": "a road through open country", "street": "a road with buildings beside it", "railway": "a line of track for trains",
        "golf course": "lawns and sand pits laid out for golf", "cemetery": "a field of graves", "city park": "a green area in a city",
        "green urban area": "lawns and trees inside a city", "airport": "an airfield with runways"},
    "agricultural area": {
        "arable land": "ploughed land on which crops are sown", "crop land": "land on which crops grow", "cropland": "land on which crops grow",
        "annual crops": "crops that are sown and harvested within a year", "annual crop land": "fields of crops that are sown and harvested within a year",
        "dry crop land": "fields of crops without irrigation", "non-irrigated arable land": "fields of cereals and roots without irrigation",
        "irrigated crop land": "fields of crops that are watered", "irrigated land": "fields that are watered",
        "fields": "pieces of cultivated land", "farmland": "land used for farming", "farm fields": "pieces of cultivated land of a farm",
        "cultivated land": "ploughed land with crops", "ploughed field": "a field of bare turned soil", "wheat field": "a field on which wheat grows",
        "mixed crops": "small fields of different crops", "mixed crop land": "small fields of different crops", "agricultural land": "land used for farming",
        "complex cultivation patterns": "small fields of annual crops, pasture and permanent crops side by side",
        "farmland with hedges": "small fields divided by hedges and trees", "countryside": "land outside towns, with fields, hedges and woods",
        "rice fields": "flooded fields on which rice grows", "rice paddy": "a flooded field on which rice grows",
        "permanent crops": "fruit trees, vines and olives that stay for many years", "permanent crop land": "land planted with fruit trees, vines or olives for many years",
        "orchard": "rows of planted fruit trees", "orchards": "rows of planted fruit trees", "fruit trees": "planted trees that bear fruit", "vineyard": "rows of planted grape vines", "vineyards": "rows of planted grape vines",
        "olive grove": "rows of planted olive trees", "plantation": "rows of planted trees or bushes", "tree crops": "rows of planted trees that bear fruit",
        "pasture": "grass land on which animals graze", "pastures": "grass fields on which animals graze", "pasture land": "grass land on which animals graze",
        "grazing land": "grass land on which animals graze", "meadow": "a field of grass", "grass fields": "green fields of grass",
        "crops and pasture": "fields of crops and of grass side by side", "crops and woodland": "fields and woods side by side",
        "agroforestry": "crops or grass under trees"},
    "natural vegetation": {
        "forest": "land covered by trees close together", "forest land": "land covered by trees close together", "woodland": "land covered by trees",
        "woods": "land covered by trees", "trees": "tall plants with a trunk", "tree cover": "land covered by the crowns of trees",
        "deciduous forest": "forest of trees that lose their leaves in winter", "broad-leaved forest": "forest of trees with broad leaves",
        "evergreen forest": "forest of trees that are green all year", "coniferous forest": "forest of pines, firs and spruces",
        "mixed forest": "forest of broad-leaved and coniferous trees", "rainforest": "dense forest of wet tropical land", "dense bush": "wild land densely covered by bushes and trees",
        "grassland": "land on which mainly grass grows", "natural grassland": "wild land on which grass grows", "grass": "low green plants with narrow leaves",
        "herbaceous vegetation": "wild grass and herbs without woody stems", "herbaceous vegetation land": "wild land of grass and herbs",
        "herbaceous plants": "plants without woody stems", "savanna": "dry tropical grass land with few trees",
        "shrub land": "wild land covered by bushes", "shrubland": "wild land covered by bushes", "scrub": "dry land with low bushes", "bushes": "low woody plants",
        "heath": "open land of low shrubs and heather", "moor": "open wild land of low shrubs and grass", "shrub and herbaceous vegetation": "wild land of bushes, grass and herbs",
        "tundra": "cold treeless land of low plants", "herbaceous tundra": "cold treeless land of grass and herbs", "sparse vegetation": "land with few low plants"},
    "bare ground": {
        "bare rock": "rock without plants", "rock": "bare stone", "rocky land": "land of bare stone", "gravel": "ground of small stones", "dirt": "bare earth",
        "sand": "ground of fine loose grains", "beach": "a strip of sand by water", "desert": "dry sandy land without plants", "dunes": "hills of sand",
        "sand dunes": "hills of sand made by the wind", "lava": "rock that has flowed from a volcano", "cliffs": "steep walls of rock",
        "glacier": "a mass of ice on land", "snow": "land covered by snow", "ice": "frozen water", "pack ice": "broken ice on the sea", "mud": "wet soft earth",
        "bare soil": "open earth without plants"},
    "water body": {
        "lake": "a body of water with land around it", "sea": "a large body of salt water", "ocean": "a very large body of salt water", "water": "open water",
        "open water": "water without land", "sea and ocean": "the open salt water", "reservoir": "a lake made by people", "pond": "a small lake",
        "coastal water": "the sea near the land", "inland water": "lakes and rivers", "sea water": "the salt water of the sea",
        "river": "a large stream of water flowing through land", "stream": "a small river", "canal": "a river made by people", "watercourse": "a river, stream or canal",
        "winding river": "a river with many bends"},
    "wetland": {
        "marsh": "low wet land with grass and reeds", "swamp": "wet land with trees", "bog": "wet land of peat and moss", "inland marsh": "low wet land flooded in winter"}}
PARENT = {name: heading for heading, words in GLOSS.items() for name in words}
AERIAL = ["a satellite photo of {}.", "a satellite image of {}.", "an aerial photo of {}.", "an aerial image of {}.", "an aerial view of {}.",
          "{} seen from above.", "{} from the air.", "an overhead photo of {}."]


def words():
    """[(word, what it is, heading or None)], headings first."""
    return [(h, g, up) for h, (g, up) in HEADINGS.items()] + [(n, g, h) for h, w in GLOSS.items() for n, g in w.items()]
