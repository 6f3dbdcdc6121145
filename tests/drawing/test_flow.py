from hypothesis import given
from hypothesis import strategies as st

from chatgpt_codex.drawing.flow import flow_of, ordered_layers


def test_order_follows_the_links_and_then_the_places() -> None:
    flow = flow_of([(9, 0), (0, 5), (0, 1)], [(1, 0), (2, 0)])

    assert flow.order == (2, 1, 0)
    assert flow.layers == (1, 0, 0)
    assert flow.back == frozenset()


def test_the_link_back_is_the_one_that_closes_the_loop_seen_from_the_left() -> None:
    # brief -> developer <-> reviewer <- standards, which starts further to the right
    links = [(0, 1), (1, 2), (2, 1), (3, 2)]

    assert flow_of([(0, 0), (1, 0), (2, 0), (1, 1)], links).back == {2}


def test_a_link_of_a_node_to_itself_leads_back() -> None:
    assert flow_of([(0, 0)], [(0, 0)]).back == {0}


def test_layers_are_ordered_to_cross_few_links() -> None:
    links = [(0, 3), (1, 2)]
    flow = flow_of([(0, 0), (0, 1), (1, 0), (1, 1)], links)

    assert ordered_layers(flow, links) == [[0, 1], [3, 2]]


@given(data=st.data(), count=st.integers(1, 8))
def test_every_node_comes_after_those_that_feed_it(data: st.DataObject, count: int) -> None:
    node = st.integers(0, count - 1)
    links = data.draw(st.lists(st.tuples(node, node), max_size=20))
    flow = flow_of([(0, 0)] * count, links)

    assert sorted(flow.order) == list(range(count))
    position = {node: place for place, node in enumerate(flow.order)}
    for index, (source, sink) in enumerate(links):
        if index not in flow.back:
            assert position[source] < position[sink]
            assert flow.layers[source] < flow.layers[sink]
    assert sorted(node for layer in ordered_layers(flow, links) for node in layer) == list(range(count))
