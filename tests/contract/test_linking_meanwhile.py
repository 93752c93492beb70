"""What changes in 4HSE between the question and the link, and after it, is never overlooked."""

from __future__ import annotations

import pytest

from certrecon.errors import (
    LinkDiffersError,
    LinksRefusedError,
)
from certrecon.linking.creating import Outcome
from tests.contract.linking import UNKNOWN, Scene, everything_linked_once
from tests.contract.linking_changes import (
    Change,
    another_day,
    another_person,
    other_action,
    other_type,
    remove,
    same_action,
    to_other_project,
)


def test_a_link_that_was_deleted_by_hand_is_never_created_again_under_the_same_approval(scene: Scene) -> None:
    run = scene.start().approved()
    run.link()
    [link] = scene.links_of(scene.ids[0])
    scene.world.links.remove(link["certificate_action_id"])
    assert [one.outcome for one in run.link()] == [Outcome.EARLIER] * 3
    assert scene.linked[scene.ids[0]] == 0
    with pytest.raises(LinkDiffersError, match=f"1 of 3.*{link['certificate_action_id']}.*is gone"):
        run.read_back()


@pytest.mark.parametrize("change", [remove, another_person, another_day, other_type, to_other_project, other_action])
def test_what_changes_after_somebody_was_asked_is_not_linked(scene: Scene, change: Change) -> None:
    run = scene.start().approved()
    change(scene, scene.ids[0])
    with pytest.raises(LinksRefusedError, match=rf"2 of 3.*{scene.ids[0]} \(changed\)"):
        run.link()
    assert (list(scene.linked.values()), scene.creates) == ([0, 1, 1], 2)


def test_who_linked_it_by_hand_meanwhile_did_the_work(scene: Scene) -> None:
    run = scene.start().approved()
    same_action(scene, scene.ids[0])
    assert [one.outcome for one in run.link()] == [Outcome.ALREADY, Outcome.CREATED, Outcome.CREATED]
    assert (everything_linked_once(scene), len(run.created)) == (True, 2)


def test_an_action_that_changes_after_somebody_was_asked_gets_no_link(scene: Scene) -> None:
    run = scene.start().approved()
    scene.world.actions.change(scene.action["action_id"], {"name": "Crane operator"})
    with pytest.raises(LinksRefusedError, match="was changed in 4HSE"):
        run.link()
    assert scene.creates == 0


def test_a_question_about_what_changed_since_the_run_looked_is_not_put(scene: Scene) -> None:
    run = scene.start().check().look()
    another_person(scene, scene.ids[0])
    with pytest.raises(LinksRefusedError, match="Start a new run"):
        run.ask()


def test_an_answer_of_another_run_or_about_another_list_says_nothing(scene: Scene) -> None:
    scene.start().approved()
    other = scene.start().check().look()
    assert other.ask() is not None
    assert (other.link(), scene.creates) == ([], 0)
    shorter = scene.start(scene.ids[:2]).check().look()
    shorter.run_id = other.run_id
    assert shorter.linking_id is None


@pytest.mark.parametrize("field", ["action_id", "tenant_id", "date_expire"])
def test_a_link_that_is_not_as_it_was_created_is_named(scene: Scene, field: str) -> None:
    run = scene.start(date_expire="2026-06-01").approved()
    run.link()
    [link] = scene.links_of(scene.ids[2])
    scene.world.links.change(
        link["certificate_action_id"], {field: "2031-01-01" if field == "date_expire" else UNKNOWN}
    )
    with pytest.raises(
        LinkDiffersError, match=rf"{link['certificate_action_id']} of .*{scene.ids[2]} has another {field}"
    ):
        run.read_back()
    assert run.hint() == 3, "the certificates are looked at all the same"
