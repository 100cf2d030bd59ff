"""Uses the page as a person with a keyboard does: page.py BROWSER URL TOKEN PICTURES. It ends with an error at the first thing that is not right."""

import json
import pathlib
import sys

from browser import opened

browser, url, token, pictures = sys.argv[1:]
pictures = pathlib.Path(pictures)
pictures.mkdir(parents=True, exist_ok=True)

with opened(browser, url) as page:
    # The token is typed where the cursor is, and kept nowhere.
    page.sign_in(token)
    page.wait("document.querySelectorAll('#signal-list > li').length > 5")
    assert page.value("document.getElementById('token').value === '' && localStorage.length + sessionStorage.length === 0 && document.cookie === ''")
    # Signals and the state of the pipeline come by answers of their own.
    for wanted in ["are open", "Owner", "Pays a month", "Reasons", "Partitions here", "4 of 4"]:
        page.wait(f"document.body.innerText.includes({json.dumps(wanted)})")
    assert page.value("document.querySelector('#signal-list a').href").startswith("https://crm.example/")
    # With the keyboard alone, from where signing in has left the focus: to the filter, which shows signals of one kind.
    kinds = "[...document.querySelectorAll('#signal-list dt')].filter((one) => one.textContent === 'Kind').map((one) => one.nextSibling.textContent)"
    assert set(page.value(kinds)) != {"at risk"}, "there is something to leave out"
    page.tab_to("#kind")
    page.key("ArrowDown", 40)
    assert page.value("document.getElementById('kind').value") == "at_risk"
    page.wait(f"(() => {{ const kinds = {kinds}; return kinds.length > 0 && kinds.every((kind) => kind === 'at risk'); }})()")
    # To the list, and from its first signal to the customer: the focus goes along.
    first = page.value("document.querySelector('#signal-list button').textContent")
    page.tab_to("#signal-list button")
    page.key("Enter", 13, "\r")
    page.wait("document.querySelectorAll('#customer-detail svg').length === 2")
    assert page.value("document.activeElement.id") == "customer-title"
    assert page.value("document.querySelector('#customer-detail h3').textContent") == first
    assert "journal topic" not in page.value("document.getElementById('customer-detail').innerText"), "events are at hand here"
    # What a screen reader needs: names for all that can be used, texts for pictures, one main part, headings without gaps.
    unnamed = page.value("""[...document.querySelectorAll('input, select, button, a, svg')].filter((one) => one.checkVisibility()
        && !(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute('aria-label')).map((one) => one.outerHTML)""")
    assert unnamed == [], unnamed
    assert page.value("document.querySelectorAll('main').length === 1 && document.documentElement.lang === 'en'")
    levels = page.value("[...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:])), levels
    page.picture(pictures / "signals.png", 1200, 900, False, "#signals")
    page.picture(pictures / "customer.png", 1200, 900, False, "#customer")
    page.picture(pictures / "customer-dark.png", 1200, 900, True, "#customer")
    page.picture(pictures / "pipeline-dark.png", 1200, 900, True, "#pipeline")
    page.picture(pictures / "phone.png", 390, 844, False, "#signals")
    page.picture(pictures / "phone-customer.png", 390, 844, True, "#customer")
    # A customer that nobody knows is said, not swallowed.
    page.tab_to("#customer-id")
    page.call("Input.insertText", text="nobody")
    page.key("Enter", 13, "\r")
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
