"""Every recipe, made with answers that are here, passes the check before publishing."""

from __future__ import annotations

import pytest

from rmm_extension.workflows import recipes
from tests.workflows.definitions.desk import Desk


@pytest.mark.parametrize("recipe", recipes.RECIPES, ids=lambda recipe: str(recipe.key))
def test_nothing_is_wrong_with_a_recipe(desk: Desk, recipe: recipes.Recipe) -> None:
    tactical, ninja = desk.world.integration_id, desk.connect("Ninja", "ninjaone")
    desk.connect("Huntress", "huntress")
    answers: dict[str, dict[str, object]] = {
        "disk-full": {"script": f"{tactical}:7"},
        "huntress-close": {},
        "escalate": {"channel_id": "19:x@thread.tacv2", "technicians": ["t1"]},
        "reboot-after-patch": {"connection": f"ninjaone:{ninja}"},
    }
    report = desk.check(recipes.document(recipe, answers[recipe.key]))
    assert report.errors == {}
    # The host of this world has no chat service: the one thing that is worth a warning.
    assert [path for path, words in report.warnings.items() if "not connected" not in words[0]] == []
