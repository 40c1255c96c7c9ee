"""The icon set: 16 by 16 outlines that take the colour of the text around them."""

ICONS: dict[str, str] = {
    "adown": '<path d="M8 3v9.5M4 8.7l4 4 4-4"/>',
    "archive": '<path d="M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 8.8h3"/>',
    "aup": '<path d="M8 13V3.5M4 7.3l4-4 4 4"/>',
    "bolt": '<path d="M8.8 2 3.5 9h4l-.6 5 5.5-7h-4z"/>',
    "check": '<path d="m3.2 8.4 3.2 3.2 6.4-7"/>',
    "clock": '<circle cx="8" cy="8" r="5.6"/><path d="M8 4.9V8l2.2 1.4"/>',
    "compare": '<path d="M5 2.5v11M11 2.5v11M2.5 5 5 2.5 7.5 5M8.5 11l2.5 2.5 2.5-2.5"/>',
    "copy": (
        '<rect x="5.4" y="5.4" width="8" height="8" rx="1.5"/>'
        '<path d="M10.6 5.2V4a1.4 1.4 0 0 0-1.4-1.4H4A1.4 1.4 0 0 0 2.6 4v5.2A1.4 1.4 0 0 0 4 '
        '10.6h1.2"/>'
    ),
    "dash": '<path d="M4 8h8"/>',
    "data": (
        '<ellipse cx="8" cy="3.9" rx="5.2" ry="2"/>'
        '<path d="M2.8 3.9v8.2c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2V3.9M2.8 8c0 1.1 2.3 2 5.2 '
        '2s5.2-.9 5.2-2"/>'
    ),
    "down": '<path d="m4 6.2 4 4 4-4"/>',
    "download": '<path d="M8 2.8v7.4M5 7.4l3 3 3-3M2.8 10.4v2.8h10.4v-2.8"/>',
    "edit": '<path d="m10.6 3.1 2.3 2.3-7.4 7.4-2.9.6.6-2.9z"/>',
    "fail": '<circle cx="8" cy="8" r="5.6"/><path d="m6 6 4 4M10 6l-4 4"/>',
    "file": '<path d="M9 2.4H4.4v11.2h7.2V5z"/><path d="M9 2.4V5h2.6"/>',
    "filter": '<path d="M2.5 3.5h11L9.4 8.3v4.2l-2.8-1.3V8.3z"/>',
    "gear": (
        '<circle cx="8" cy="8" r="2"/>'
        '<path d="M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M3.6 12.4 5 '
        '11M11 5l1.4-1.4"/>'
    ),
    "history": '<path d="M2.7 8a5.4 5.4 0 1 1 1.6 3.8M2.6 12.3V9.5h2.8M8 5.2V8l2 1.3"/>',
    "in": '<path d="M6.5 3.5h6v9h-6M2.5 8h6.5M6.5 5.5 9 8l-2.5 2.5"/>',
    "info": '<circle cx="8" cy="8" r="5.6"/><path d="M8 7.4v3.4M8 5.2h.01"/>',
    "keyboard": (
        '<rect x="1.8" y="4" width="12.4" height="8" rx="1.5"/>'
        '<path d="M4.5 6.7h0M7 6.7h0M9.5 6.7h0M11.8 6.7h0M5.5 9.5h5"/>'
    ),
    "left": '<path d="m9.8 4-4 4 4 4"/>',
    "link": (
        '<path d="M6.8 9.2a2.4 2.4 0 0 0 3.5.2l2-2a2.4 2.4 0 0 0-3.4-3.4l-.8.8M9.2 6.8a2.4 2.4 '
        '0 0 0-3.5-.2l-2 2A2.4 2.4 0 0 0 7.1 12l.8-.8"/>'
    ),
    "moon": '<path d="M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6Z"/>',
    "more": '<path d="M3.4 8h.01M8 8h.01M12.6 8h.01" stroke-width="2.4"/>',
    "note": '<path d="M2.6 3.2h10.8v7.6H7.2l-2.7 2.4v-2.4H2.6z"/>',
    "ok": '<circle cx="8" cy="8" r="5.6"/><path d="m5.5 8.2 1.8 1.8 3.3-3.7"/>',
    "pause": '<path d="M5.6 3.4v9.2M10.4 3.4v9.2"/>',
    "pin": '<path d="M6 2.5h4M6.6 2.5v4L4.4 9h7.2L9.4 6.5v-4M8 9v4.8"/>',
    "play": '<path d="M2.5 4.2h11M2.5 8h5M2.5 11.8h4"/><path d="m10 8.5 3.5 2.2-3.5 2.2z"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "retry": '<path d="M13.3 8a5.4 5.4 0 1 1-1.6-3.8M13.4 3.7v2.8h-2.8"/>',
    "right": '<path d="m6.2 4 4 4-4 4"/>',
    "ruler": '<path d="M2.5 10.5 10.5 2.5l3 3-8 8zM5 8l1.3 1.3M7 6l1.8 1.8M9 4l1.3 1.3"/>',
    "run": '<path d="M4.5 2.9v10.2l8.2-5.1z"/>',
    "same": '<path d="M3.5 6h9M3.5 10h9"/>',
    "save": '<path d="M3 3h8l2 2v8H3z"/><path d="M5.5 3v3h4V3M5.5 13V9.5h5V13"/>',
    "search": '<circle cx="7" cy="7" r="4.25"/><path d="m10.2 10.2 3.3 3.3"/>',
    "select": (
        '<rect x="2.6" y="2.6" width="10.8" height="10.8" rx="2"/>'
        '<path d="m5.4 8.2 1.8 1.8 3.4-3.8"/>'
    ),
    "sort": '<path d="M2.5 4.5h11M2.5 8h7M2.5 11.5h3.5"/>',
    "spin": '<path d="M8 2.4a5.6 5.6 0 1 1-5.6 5.6"/>',
    "stop": '<rect x="4" y="4" width="8" height="8" rx="1.5"/>',
    "swap": '<path d="M3 5.5h9.5M10 3l2.5 2.5L10 8M13 10.5H3.5M6 8l-2.5 2.5L6 13"/>',
    "tag": '<path d="M2.6 8.6V3.2h5.4l5.4 5.4-5.2 5.2z"/><circle cx="5.4" cy="6" r=".8"/>',
    "target": '<circle cx="8" cy="8" r="5.5"/><circle cx="8" cy="8" r="2.25"/>',
    "trash": '<path d="M2.8 4.3h10.4M6 4.2V2.8h4v1.4M4.2 4.5l.6 8.7h6.4l.6-8.7"/>',
    "up": '<path d="m4 9.8 4-4 4 4"/>',
    "upload": '<path d="M8 10.2V2.8M5 5.6l3-3 3 3M2.8 10.4v2.8h10.4v-2.8"/>',
    "user": (
        '<circle cx="8" cy="5.4" r="2.6"/><path d="M3 13.4c.5-2.5 2.5-3.8 5-3.8s4.5 1.3 5 3.8"/>'
    ),
    "warn": '<path d="M8 2.4 14.2 13H1.8z"/><path d="M8 6.6v3M8 11.3h.01"/>',
    "x": '<path d="m4 4 8 8M12 4l-8 8"/>',
}
