"""Uses the page as a person with a keyboard does: page.py BROWSER URL TOKEN PICTURES. It ends with an error at the first thing that is not right."""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import websocket

browser, url, token, pictures = sys.argv[1:]
pictures = pathlib.Path(pictures)
pictures.mkdir(parents=True, exist_ok=True)
PATIENCE = 120


class Page:
    """A page of the browser, over its debugging protocol."""

    def __init__(self, address):
        self.socket = websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)
        self.number = 0
        self.events = []

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                assert "error" not in message, (method, message)
                return message["result"]
            self.events.append(message)

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, (expression, result)
        return result["result"].get("value")

    def wait(self, expression):
        started = time.monotonic()
        while not self.value(expression):
            assert time.monotonic() - started < PATIENCE, (expression, self.value("document.body.innerText"))
            time.sleep(0.05)

    def key(self, key, code, text=None):
        more = {"text": text} if text else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def picture(self, name, width, height, dark, scroll):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.value(f"document.querySelector('{scroll}').scrollIntoView()")
        # Nothing is wider than the screen.
        assert self.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        shot = self.call("Page.captureScreenshot", format="png")
        (pictures / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--remote-debugging-port=0", f"--user-data-dir={profile.name}", "about:blank"]
process = subprocess.Popen([browser, *arguments], stderr=subprocess.PIPE, text=True)
try:
    address = next(line.split("listening on ")[1].strip() for line in process.stderr if "DevTools listening on" in line)
    top = Page(address)
    target = top.call("Target.createTarget", url="about:blank")["targetId"]
    page = Page(address.split("/devtools/")[0] + f"/devtools/page/{target}")
    for domain in ["Page", "Runtime", "Log", "Network"]:
        page.call(f"{domain}.enable")
    page.call("Page.navigate", url=url)
    # The token is typed where the cursor is, and kept nowhere.
    page.wait("document.activeElement && document.activeElement.id === 'token'")
    page.call("Input.insertText", text=token)
    page.key("Enter", 13, "\r")
    page.wait("document.querySelectorAll('#signal-list > li').length > 5")
    assert page.value("document.getElementById('token').value === '' && localStorage.length + sessionStorage.length === 0 && document.cookie === ''")
    first = page.value("document.querySelector('#signal-list button').textContent")
    text = page.value("document.body.innerText")
    for wanted in ["are open", "Owner", "Pays a month", "Reasons", "Partitions here", "4 of 4"]:
        assert wanted in text, (wanted, text)
    assert page.value("document.querySelector('#signal-list a').href").startswith("https://crm.example/")
    # With the keyboard alone: from the list to a customer, and the focus goes along.
    page.value("document.querySelector('#signal-list button').focus()")
    page.key("Enter", 13, "\r")
    page.wait("document.querySelectorAll('#customer-detail svg').length === 2")
    assert page.value("document.activeElement.id") == "customer-title"
    assert page.value("document.querySelector('#customer-detail h3').textContent") == first
    # What a screen reader needs: names for all that can be used, texts for pictures, one main part, headings without gaps.
    unnamed = page.value("""[...document.querySelectorAll('input, select, button, a, svg')].filter((one) => one.checkVisibility()
        && !(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute('aria-label')).map((one) => one.outerHTML)""")
    assert unnamed == [], unnamed
    assert page.value("document.querySelectorAll('main').length === 1 && document.documentElement.lang === 'en'")
    levels = page.value("[...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:])), levels
    page.value("document.getElementById('kind').value = 'at_risk'; document.getElementById('kind').dispatchEvent(new Event('change'))")
    page.wait("[...document.querySelectorAll('#signal-list dd')].some((one) => one.textContent === 'at risk')")
    page.picture("signals", 1200, 900, False, "#signals")
    page.picture("customer", 1200, 900, False, "#customer")
    page.picture("customer-dark", 1200, 900, True, "#customer")
    page.picture("pipeline-dark", 1200, 900, True, "#pipeline")
    page.picture("phone", 390, 844, False, "#signals")
    page.picture("phone-customer", 390, 844, True, "#customer")
    # A customer that nobody knows is said, not swallowed.
    page.value("document.getElementById('customer-id').value = 'nobody'; document.getElementById('find').requestSubmit()")
    page.wait("document.getElementById('status').textContent.includes('no customer')")
    complaints, requests = [], []
    for event in page.events:
        parameters = event.get("params", {})
        if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            complaints.append(parameters)
        if event.get("method") == "Log.entryAdded":
            complaints.append(parameters["entry"])
        if event.get("method") == "Network.requestWillBeSent":
            requests.append(parameters["request"]["url"])
    outside = [one for one in requests if not one.startswith((url, "data:", "about:"))]
    assert len(requests) > 5 and outside == [], outside
    assert not any(token in one for one in requests), "the token is in no address"
    # The browser itself notes the two answers that were meant: no token yet, and nobody.
    meant = [one for one in complaints if one.get("source") == "network" and ("401" in one["text"] or "404" in one["text"])]
    assert [one for one in complaints if one not in meant] == [], complaints
finally:
    process.kill()
    process.wait()
