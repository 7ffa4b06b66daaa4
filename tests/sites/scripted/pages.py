from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template

from psc_connect.login.site_urls import login_url

TURBO = '<script src="/node_modules/@hotwired/turbo/dist/turbo.es2017-umd.js"></script>'
HTMX = '<script src="/node_modules/htmx.org/dist/htmx.min.js"></script>'
LINKS = """
{% psc_connect_button next="/me/" %}
<p><a id="protected" href="/me/">A protected page</a></p>
<p><a id="bare" href="{{ bare_url }}">A link of the site, without attributes</a></p>
{% psc_connect_logout_button %}
"""
SPECULATION = (
    '<script type="speculationrules">{"KIND": [{"urls": ["{{ bare_url }}"], "eagerness": "immediate"}]}</script>'
)

# The head and the body of each page.
PAGES = {
    "plain": ("", f"<body>{LINKS}"),
    "turbo": (TURBO, f"<body>{LINKS}"),
    "turbo-frame": (TURBO, f'<body><turbo-frame id="frame">{LINKS}</turbo-frame>'),
    "htmx": (HTMX, f'<body hx-boost="true">{LINKS}'),
    "htmx-part": (HTMX, '<body><div id="part"></div><button hx-get="/me/" hx-target="#part">Load</button>'),
    "prefetch": ('<link rel="prefetch" href="{{ bare_url }}">', f"<body>{LINKS}"),
    "prefetch-rules": (SPECULATION.replace("KIND", "prefetch"), f"<body>{LINKS}"),
    "prerender-rules": (SPECULATION.replace("KIND", "prerender"), f"<body>{LINKS}"),
    "frame": ("", '<body><iframe src="/pages/plain/"></iframe>'),
    # Opened on another host, which makes it another site.
    "images": (
        "",
        '<body>{% for number in numbers %}<img src="{{ site }}{{ bare_url }}&amp;n={{ number }}">{% endfor %}',
    ),
    "attack": ("", '<body><a id="marked" href="{{ site }}{{ bare_url }}&amp;clicked=1">Win</a>'),
}
FETCH = {
    # The visit is passed on as it came.
    "request": "event.respondWith(fetch(event.request));",
    "clone": "event.respondWith(fetch(event.request.clone()));",
    "new-request": "event.respondWith(fetch(new Request(event.request)));",
    "preload": "event.respondWith(event.preloadResponse.then(answer => answer || fetch(event.request)));",
    "cache": "event.respondWith(caches.match(event.request).then(cached => cached || fetch(event.request)));",
    # The worker sends a request of its own.
    "url": "event.respondWith(fetch(event.request.url));",
    "changed-request": "event.respondWith(fetch(new Request(event.request, {cache: 'no-store'})));",
}
WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", event => event.waitUntil(ACTIVATED.then(() => clients.claim())));
addEventListener("fetch", event => {FETCH});
"""


def page(request: HttpRequest, name: str) -> HttpResponse:
    head, body = PAGES[name]
    source = "{% load psc_connect %}<!doctype html><html><head><title>Page</title>" + head + "</head>" + body
    context = {
        "bare_url": login_url("psc-simulator", "/me/"),
        "numbers": range(60),
        "site": f"http://127.0.0.1:{request.get_port()}",
    }
    return HttpResponse(Template(source).render(RequestContext(request, context)))


def worker(request: HttpRequest) -> HttpResponse:
    way = request.GET["way"]
    activated = "registration.navigationPreload.enable()" if way == "preload" else "Promise.resolve()"
    script = WORKER.replace("ACTIVATED", activated).replace("FETCH", FETCH[way])
    return HttpResponse(script, content_type="text/javascript")
