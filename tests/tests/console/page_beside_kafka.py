"""Looks at a customer of an instance beside Kafka: page_beside_kafka.py BROWSER URL TOKEN CUSTOMER."""

import sys

from browser import opened

browser, url, token, customer = sys.argv[1:]

with opened(browser, url) as page:
    page.sign_in(token)
    page.wait("document.getElementById('sign-in').hidden")
    page.tab_to("#customer-id")
    page.call("Input.insertText", text=customer)
    page.key("Enter", 13, "\r")
    page.wait("document.activeElement.id === 'customer-title'")
    text = page.value("document.getElementById('customer-detail').innerText")
    assert text.startswith(customer) and "journal topic" not in text, text
    entries = int(page.value("document.querySelector('#customer-detail summary').innerText").split()[1])
    assert entries > 10, f"only {entries} entries"
