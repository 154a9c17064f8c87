"""Draws the wiring diagrams of docs/FIELD-GUIDE.md: python3 docs/img/wiring.py

Each diagram is a few boxes, wires and resistors on a grid of pixels, written as
SVG beside this file, so that a change of a pin is a change of one word here.
"""

from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
INK, PAPER, GREY = "#1c2b24", "#ffffff", "#6b756f"
WIRES = {
    "3v3": "#d9822b",
    "5v": "#c0392b",
    "gnd": "#1c2b24",
    "i2c": "#2563a8",
    "spi": "#7a3e9d",
    "line": "#1e7d4f",
    "batt": "#c0392b",
    "free": "#b9c2bd",
}


class Drawing:
    """One SVG that grows by calls."""

    def __init__(self, width, height, title):
        self.size = (width, height)
        self.title = title
        self.parts = []

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, words, size=14, anchor="start", weight="normal", colour=INK):
        self.add(
            f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{colour}">{escape(words)}</text>'
        )

    def box(self, x, y, width, height, words=(), fill="#eef3f0"):
        self.add(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" '
            f'fill="{fill}" stroke="{INK}" stroke-width="1.5"/>'
        )
        for row, line in enumerate(words):
            self.text(
                x + width / 2,
                y + height / 2 + 5 + (row - (len(words) - 1) / 2) * 18,
                line,
                anchor="middle",
                weight="bold" if row == 0 else "normal",
                size=14 if row == 0 else 12,
            )

    def wire(self, kind, *points):
        path = " ".join(f"{x},{y}" for x, y in points)
        self.add(
            f'<polyline points="{path}" fill="none" stroke="{WIRES[kind]}" '
            f'stroke-width="3" stroke-linejoin="round" stroke-linecap="round"/>'
        )

    def dot(self, x, y, kind="gnd"):
        self.add(f'<circle cx="{x}" cy="{y}" r="4.5" fill="{WIRES[kind]}"/>')

    def resistor(self, x, y, words, upright=False):
        """A resistor with its middle at x, y."""
        width, height = (16, 44) if upright else (44, 16)
        self.add(
            f'<rect x="{x - width / 2}" y="{y - height / 2}" width="{width}" '
            f'height="{height}" fill="{PAPER}" stroke="{INK}" stroke-width="1.5"/>'
        )
        if upright:
            self.text(x + 14, y + 5, words, size=12)
        else:
            self.text(x, y - 13, words, size=12, anchor="middle")

    def pin(self, x, y, number, name, kind):
        """A pin of the header, with its wire leaving at x + 96."""
        self.add(
            f'<rect x="{x}" y="{y - 12}" width="96" height="24" rx="5" fill="{WIRES[kind]}"/>'
        )
        self.text(x + 48, y + 5, f"{number} · {name}", size=13, anchor="middle", colour=PAPER, weight="bold")

    def write(self, name):
        width, height = self.size
        body = "\n".join(self.parts)
        text = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="DejaVu Sans, Arial, sans-serif">\n'
            f"<title>{escape(self.title)}</title>\n"
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n{body}\n</svg>\n'
        )
        (HERE / f"wiring-{name}.svg").write_text(text, encoding="utf-8")


HEADER = [
    ("3V3", "3v3", "sensors, display"), ("5V", "5v", "motion sensor"),
    ("GPIO2", "i2c", "SDA: all sensors, OLED, clock"), ("5V", "5v", ""),
    ("GPIO3", "i2c", "SCL: all sensors, OLED, clock"), ("GND", "gnd", "sensors, display"),
    ("GPIO4", "line", "DHT22 data"), ("GPIO14", "free", "serial console"),
    ("GND", "gnd", ""), ("GPIO15", "free", "serial console"),
    ("GPIO17", "spi", "e-paper RST"), ("GPIO18", "line", "lamp: flash"),
    ("GPIO27", "line", "button"), ("GND", "gnd", "button, lamp"),
    ("GPIO22", "line", "status LED"), ("GPIO23", "line", "motion sensor, light barrier"),
    ("3V3", "3v3", ""), ("GPIO24", "spi", "e-paper BUSY"),
    ("GPIO10", "spi", "e-paper DIN"), ("GND", "gnd", ""),
    ("GPIO9", "free", ""), ("GPIO25", "spi", "e-paper DC"),
    ("GPIO11", "spi", "e-paper CLK"), ("GPIO8", "spi", "e-paper CS"),
    ("GND", "gnd", ""), ("GPIO7", "free", ""),
    ("ID_SD", "free", "leave free"), ("ID_SC", "free", "leave free"),
    ("GPIO5", "free", ""), ("GND", "gnd", ""),
    ("GPIO6", "free", ""), ("GPIO12", "free", ""),
    ("GPIO13", "line", "attracting light"), ("GND", "gnd", ""),
    ("GPIO19", "free", ""), ("GPIO16", "line", "sensors' supply"),
    ("GPIO26", "line", "camera's supply"), ("GPIO20", "free", ""),
    ("GND", "gnd", ""), ("GPIO21", "line", "done line of a timer"),
]


def header():
    d = Drawing(760, 620, "The header of the Pi and what goes where")
    d.text(380, 26, "the corner with the SD card is up; pin 1 is at the corner", 13, "middle", colour=GREY)
    for at, (name, kind, use) in enumerate(HEADER):
        row, right = divmod(at, 2)
        y = 52 + row * 28
        x = 384 if right else 280
        d.pin(x, y, at + 1, name, kind)
        if use:
            if right:
                d.text(490, y + 5, use, 14)
            else:
                d.text(270, y + 5, use, 14, "end")
    d.write("header")


def plain(name, title, part, rows, note="", resistors=None):
    """A part whose pins go straight to the header: (label of the part, pin number)."""
    resistors = resistors or {}
    height = 60 + 40 * len(rows) + (26 if note else 0)
    d = Drawing(640, height, title)
    d.box(400, 24, 200, 40 * len(rows) + 10, part)
    for row, (label, number) in enumerate(rows):
        y = 50 + 40 * row
        pin, kind, _ = HEADER[number - 1]
        d.pin(40, y, number, pin, kind)
        d.wire(kind, (136, y), (340, y))
        d.wire(kind, (340, y), (400, y))
        if row in resistors:
            d.resistor(238, y, resistors[row])
        d.text(394, y - 7, label, 13, "end", "bold")
    if note:
        d.text(40, height - 18, note, 13, colour=GREY)
    d.write(name)


def divider():
    d = Drawing(700, 300, "A battery behind a divider, measured by an ADS1115")
    d.box(40, 60, 110, 150, ("battery", "up to 18 V"))
    d.wire("batt", (150, 80), (300, 80), (300, 100))
    d.text(160, 72, "+", 16, weight="bold")
    d.resistor(300, 122, "47 kΩ", upright=True)
    d.wire("line", (300, 144), (300, 166))
    d.dot(300, 155, "line")
    d.resistor(300, 188, "10 kΩ", upright=True)
    d.wire("gnd", (300, 210), (300, 240), (150, 240), (95, 240), (95, 210))
    d.wire("line", (300, 155), (430, 155))
    d.text(424, 148, "A0", 13, "end", "bold")
    d.wire("gnd", (300, 240), (430, 240), (430, 190))
    d.text(438, 236, "GND, joined with the Pi's", 12, colour=GREY)
    d.box(430, 60, 220, 130, ("ADS1115", "VDD 3V3 (1) · GND (6)", "SDA (3) · SCL (5)"))
    d.text(40, 282, "divider_thousandths = 5700 : (47 + 10) / 10 of what A0 sees", 13, colour=GREY)
    d.write("divider")


def shunt():
    d = Drawing(700, 270, "A battery measured by an INA219 or INA260")
    d.box(40, 60, 110, 130, ("battery",))
    d.box(270, 40, 180, 170, ("INA219 / INA260", "VCC 3V3 (1) · GND (6)", "SDA (3) · SCL (5)"))
    d.box(560, 60, 110, 130, ("regulator", "to the Pi"))
    d.wire("batt", (150, 80), (270, 80))
    d.text(262, 72, "VIN+", 13, "end", "bold")
    d.wire("batt", (450, 80), (560, 80))
    d.text(458, 72, "VIN−", 13, weight="bold")
    d.wire("gnd", (95, 190), (95, 230), (615, 230), (615, 190))
    d.wire("gnd", (360, 230), (360, 210))
    d.dot(360, 230)
    d.text(40, 258, "The battery's current flows through the board: thick wires, and no switch behind it.", 13, colour=GREY)
    d.write("shunt")


def lamp():
    d = Drawing(720, 330, "A lamp switched by a transistor that rests dark")
    d.pin(40, 170, 12, "GPIO18", "line")
    d.wire("line", (136, 170), (330, 170))
    d.resistor(220, 170, "220 Ω")
    d.dot(290, 170, "line")
    d.wire("line", (290, 170), (290, 200))
    d.resistor(290, 222, "10 kΩ", upright=True)
    d.wire("gnd", (290, 244), (290, 280))
    d.box(330, 130, 150, 80, ("N-MOSFET", "on at 3.3 V"))
    d.text(338, 164, "G", 13, weight="bold")
    d.text(452, 148, "D", 13, weight="bold")
    d.text(452, 204, "S", 13, weight="bold")
    d.wire("gnd", (460, 210), (460, 280))
    d.wire("gnd", (136, 280), (660, 280))
    d.pin(40, 280, 14, "GND", "gnd")
    d.text(668, 285, "− 12 V", 13)
    d.wire("batt", (460, 130), (460, 80), (540, 80))
    d.box(540, 50, 130, 60, ("lamp", "LED strip, 12 V"))
    d.wire("batt", (670, 80), (700, 80), (700, 30), (560, 30))
    d.text(552, 34, "+ 12 V, over a fuse", 13, "end")
    d.text(40, 316, "The 10 kΩ keep the lamp dark while the Pi boots or stands still. Leave them out, and it may burn.", 13, colour=GREY)
    d.write("lamp")


def timer():
    d = Drawing(700, 260, "A TPL5110 board in the supply of the Pi")
    d.box(40, 60, 110, 110, ("battery",))
    d.box(250, 40, 190, 150, ("TPL5110", "its resistor sets", "the period"))
    d.box(560, 60, 110, 110, ("Pi", "5 V, GND"))
    d.wire("batt", (150, 80), (250, 80))
    d.text(242, 72, "VDD", 13, "end", "bold")
    d.wire("batt", (440, 80), (560, 80))
    d.text(448, 72, "DRV", 13, weight="bold")
    d.wire("line", (440, 130), (560, 130))
    d.text(448, 122, "DONE", 13, weight="bold")
    d.text(554, 122, "GPIO21", 12, "end")
    d.text(566, 150, "pin 40", 12)
    d.dot(505, 130, "line")
    d.wire("line", (505, 130), (505, 152))
    d.resistor(505, 174, "10 kΩ", upright=True)
    d.wire("gnd", (95, 170), (95, 220), (615, 220), (615, 170))
    d.wire("gnd", (505, 196), (505, 220))
    d.wire("gnd", (345, 190), (345, 220))
    d.dot(345, 220)
    d.dot(505, 220)
    d.text(40, 248, "Without the 10 kΩ the timer takes the Pi's start for “done” and switches it off again.", 13, colour=GREY)
    d.write("timer")


def main():
    header()
    plain("sensor", "A sensor on the I²C bus", ("sensor", "SHT, BME, BH1750 …"),
          [("VIN", 1), ("SDA", 3), ("SCL", 5), ("GND", 6)],
          "More sensors share the same four wires. All cables together: half a metre.")
    plain("oled", "An OLED display", ("OLED 128×64", "SSD1306, SH1106"),
          [("VCC", 1), ("SDA", 3), ("SCL", 5), ("GND", 6)])
    plain("paper", "An e-paper display", ("e-paper 2.9″", "SSD1680"),
          [("VCC", 1), ("GND", 6), ("DIN", 19), ("CLK", 23), ("CS", 24), ("DC", 22), ("RST", 11), ("BUSY", 18)],
          "Needs `dtparam=spi=on` in config.txt.")
    plain("button", "A button", ("button",), [("one side", 13), ("other side", 14)],
          "No resistor: the trap pulls the line up. Low is pressed.")
    plain("led", "The status LED", ("LED",), [("long leg", 15), ("short leg", 14)],
          "The short leg is at the flat side.", {0: "330 Ω"})
    plain("trigger", "A motion sensor", ("PIR", "HC-SR501"), [("VCC", 2), ("OUT", 16), ("GND", 14)],
          "Its output is 3.3 V although it is fed with 5 V.")
    plain("dht22", "A DHT22", ("DHT22",), [("1", 1), ("2 data", 7), ("4", 9)],
          "A bare one needs 10 kΩ between pins 1 and 2; boards have it.")
    plain("clock", "A battery-backed clock", ("DS3231",), [("VCC", 1), ("SDA", 3), ("SCL", 5), ("GND", 6)],
          "To wake the trap, its SQW/INT goes to the power board, as that board's manual shows.")
    divider()
    shunt()
    lamp()
    timer()


if __name__ == "__main__":
    main()
