"""A page in headless Chromium, used as a person with a keyboard does."""

import base64
import contextlib
import json
import subprocess
import tempfile
import time

import websocket

PATIENCE = 120

# Presses of Tab after which something is taken for out of reach.
MAX_TABS = 200


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

    def tab_to(self, selector):
        """Presses Tab until what is wanted has the focus."""
        seen = []
        for _ in range(MAX_TABS):
            self.key("Tab", 9)
            if self.value(f"document.activeElement.matches({json.dumps(selector)})"):
                return
            seen.append(self.value("document.activeElement.outerHTML.slice(0, 60)"))
        raise AssertionError((selector, seen))

    def sign_in(self, token):
        """Types the token where the cursor is."""
        self.wait("document.activeElement && document.activeElement.id === 'token'")
        self.call("Input.insertText", text=token)
        self.key("Enter", 13, "\r")

    def picture(self, path, width, height, dark, scroll):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.value(f"document.querySelector('{scroll}').scrollIntoView()")
        # Nothing is wider than the screen.
        assert self.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        shot = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.contextmanager
def opened(browser, url):
    """The page at an address, in a browser of its own."""
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
        yield page
    finally:
        process.kill()
        process.wait()
