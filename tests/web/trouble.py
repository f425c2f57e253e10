# SPDX-License-Identifier: MIT
"""What may go wrong on the example page, and that it goes on: files that are no pictures, names that the model cannot tell apart, many
pictures at once, no camera, a model that is not there, is spoiled, or has changed; and what a screen reader and a keyboard find."""
import json
import os

from server import Quiet

MODEL = "/model.safetensors"
STATUS = "document.getElementById('status').textContent"
CARDS = "Array.from(document.querySelectorAll('.card'), (card) => card.textContent)"

DROP = """(async () => {
  const data = new DataTransfer(), canvas = new OffscreenCanvas(90, 60), g = canvas.getContext("2d");
  for (const [name, type, count] of LIST) for (let i = 0; i < count; i++) {
    g.fillStyle = `rgb(${200 - i % 100}, ${i % 50}, 40)`; g.fillRect(0, 0, 90, 60);
    const bytes = type ? await canvas.convertToBlob({ type }) : "no picture";
    data.items.add(new File([bytes], name, { type: name.endsWith(".jpg") ? "image/jpeg" : type }));
  }
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
})()"""


def reload(page, url, ending):
    page.call("Page.navigate", url="about:blank")
    page.open(url)
    page.wait(f"{STATUS}.startsWith({json.dumps(ending)})")


def asked_for_model(page, url, ending="Ready."):
    """The methods by which the model is asked for when the page is opened."""
    before = len(Quiet.asked)
    reload(page, url, ending)
    return [method for method, path in Quiet.asked[before:] if path == MODEL]


def type_names(page, *names):
    page.run(f"""((names) => {{ names.value = {json.dumps(chr(10).join(names))}; names.dispatchEvent(new Event("input")); }})(document.getElementById("names"))""")


def try_model(page, url, path):
    """It is fetched once, and again when it has changed; what is no model is not kept; without a server, the kept one is used."""
    page.call("Page.navigate", url="about:blank")
    page.call("Storage.clearDataForOrigin", origin=url.rstrip("/"), storageTypes="all")
    Quiet.instead[MODEL] = b"<p>Please log in.</p>"
    told = asked_for_model(page, url, "The model does not open: ")
    assert told == ["GET"], told
    del Quiet.instead[MODEL]
    assert page.run("document.getElementById('again').hidden") is False
    page.run("document.getElementById('again').click()")
    page.wait(f"{STATUS} == 'Ready.'")
    told = asked_for_model(page, url)
    assert told == ["HEAD"], told
    os.utime(path, (0, 0))  # also one that is older, as after a step back
    told = [asked_for_model(page, url) for _ in range(2)]
    os.utime(path)
    assert told == [["HEAD", "GET"], ["HEAD"]], told
    Quiet.instead[MODEL] = b"a model of another size"
    told = asked_for_model(page, url, "The model does not open: ")
    assert told == ["HEAD", "GET"], told
    Quiet.instead[MODEL] = None
    asked_for_model(page, url)
    del Quiet.instead[MODEL]


def try_files(page):
    """What is a picture is told by its bytes; others say so, and the rest are answered, one after the other."""
    page.run(DROP.replace("LIST", json.dumps([["none.jpg", "", 1], ["none.txt", "", 1], ["webp.jpg", "image/webp", 1], ["many.png", "image/png", 60]])))
    page.wait(f"{STATUS} == '61 of 63 pictures answered.'")
    cards = page.run(CARDS)
    assert all("not a picture that this browser can show" in card for card in cards[:2]), cards[:2]
    assert all("%" in card for card in cards[2:]), cards[2:]


def try_names(page):
    """Names that are the same words are told, those before stay; a repeated line is one name."""
    type_names(page, "Cup", "cup", "dog")
    page.wait(f"{STATUS}.includes('same words')")
    assert "%" in page.run(CARDS)[2]
    type_names(page, "dog", "dog", "", "cup")
    page.wait(f"{STATUS} == 'Ready.'")
    assert page.run("document.querySelectorAll('.card')[2].querySelectorAll('.answers li').length") == 2
    type_names(page, "")
    page.wait(f"{STATUS} == 'Give it some names.'")
    type_names(page, "dog", "cup")
    page.wait(f"{STATUS} == 'Ready.'")


def try_hands(page):
    """The focus stays where it was, everything has a name to be read aloud, and what is refused is said."""
    page.run("((choice) => { choice.focus(); choice.value = 'cup'; choice.dispatchEvent(new Event('change')); })(document.querySelectorAll('.card select')[2])")
    page.wait(f"{STATUS} == 'Taught by 1 picture of 1 name.'")
    assert page.run("document.activeElement.getAttribute('aria-label')") == "teach: webp.jpg is"
    page.run("document.querySelector('.remove').click()")
    assert page.run("document.activeElement.getAttribute('aria-label')") == "remove none.txt"
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    bare = [node["role"]["value"] for node in nodes if not node.get("ignored") and not node.get("name", {}).get("value")
            and node["role"]["value"] in ("button", "combobox", "textbox", "image", "progressbar")]
    assert not bare, bare
    page.run("document.getElementById('camera').click()")
    page.wait(f"{STATUS}.startsWith('No camera: ')")
    page.run("document.getElementById('clear').click()")
    page.wait(f"{CARDS}.length == 0 && document.getElementById('how').hidden")


def try_trouble(page, url, site):
    try_model(page, url, os.path.join(site, MODEL[1:]))
    page.errors.clear()  # of connections that were broken on purpose
    try_files(page)
    try_names(page)
    try_hands(page)
    assert not page.errors, page.errors
