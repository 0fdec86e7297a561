"""A real browser without a window: Debian's Chromium, see ``.ci/ensure_browser``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).parents[1]
DESK, PHONE = (1280, 900), (360, 740)
_PATIENCE = 100  # seconds; on a busy machine axe takes half a minute for a long page
_ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@cache
def axe() -> str:
    """The text of axe-core; installs it, and the browser, where they are not here."""
    folder = ROOT / ".cache" / "browser"
    script = ROOT / ".ci" / "ensure_browser"
    subprocess.run(["sh", script, folder], check=True, env={**os.environ, "PYTHON": sys.executable})
    return (folder / "axe.min.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Browser:
    """A browser with one page.

    Attributes:
        driver: What it is steered with.
    """

    driver: webdriver.Chrome

    @classmethod
    def start(cls) -> Browser:
        """Start it."""
        axe()
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in _ARGUMENTS:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        driver.set_script_timeout(_PATIENCE)
        return cls(driver)

    def open(self, page: Path, size: tuple[int, int] = DESK, scheme: str = "light") -> None:
        """Open a file.

        Args:
            page: The file.
            size: Of the window, in pixels: width and height.
            scheme: What the reader prefers, ``light`` or ``dark``.
        """
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1}
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        command = self.driver.execute_cdp_cmd
        command("Emulation.setDeviceMetricsOverride", {**metrics, "mobile": size == PHONE})
        command("Emulation.setEmulatedMedia", {"features": features})
        for log in ("browser", "performance"):
            self.driver.get_log(log)  # what earlier pages left
        self.driver.get(page.as_uri())

    def run(self, script: str) -> Any:
        """Run a script on the page; returns what it returns."""
        return self.driver.execute_script(script)

    def complaints(self) -> list[str]:
        """What the page has on the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that the page has asked for."""
        messages = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        sent = [each for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [each["params"]["request"]["url"] for each in sent]

    def violations(self) -> list[str]:
        """What axe-core finds wrong for people who cannot see the page, or not well."""
        # Of the driver and not of the page, whose policy allows no script.
        self.driver.execute_script(axe())
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document).then(done, error => done({failed: String(error)}));"
        )
        assert "violations" in found, found
        assert found["passes"]
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.run(f"return {width}"))

    def stop(self) -> None:
        """Stop it."""
        self.driver.quit()
