//! Sets, subsets and maps: what is refused when they are made, and what holds afterwards.

use parloop::{Map, MeshError, Set, Subset};

#[test]
fn a_set_has_fewer_than_2_to_the_32_elements() {
    assert_eq!(
        Set::new("s", u32::MAX as usize).unwrap().size(),
        u32::MAX as usize
    );
    let error = Set::new("s", 1 << 32).unwrap_err();
    assert!(
        matches!(
            error,
            MeshError::SetTooLarge {
                size: 0x1_0000_0000,
                ..
            }
        ),
        "{error}"
    );
    assert!(matches!(
        Set::with_halo("s", usize::MAX, usize::MAX, 1),
        Err(MeshError::SetTooLarge { .. })
    ));
    assert!(Set::with_halo("s", 1 << 31, 1 << 30, 1 << 30).is_err());
}

#[test]
fn loops_run_on_owned_elements_and_data_covers_the_halo() {
    let set = Set::with_halo("cells", 5, 2, 3).unwrap();
    assert_eq!((set.core_size(), set.size(), set.total_size()), (5, 7, 10));
    assert_eq!(set.name(), "cells");
}

#[test]
fn handles_are_equal_when_they_are_the_same_object() {
    let set = Set::new("s", 3).unwrap();
    assert_eq!(set, set.clone());
    assert_ne!(set, Set::new("s", 3).unwrap());
    let map = || Map::new("m", &set, &set, 1, [0, 1, 2]).unwrap();
    let first = map();
    assert_eq!(first, first.clone());
    assert_ne!(first, map());
}

#[test]
fn a_map_has_an_arity_from_1_to_65535() {
    let set = Set::new("s", 1).unwrap();
    for arity in [0, 65_536] {
        let error = Map::new("m", &set, &set, arity, vec![0; arity]).unwrap_err();
        assert_eq!(
            error,
            MeshError::Arity {
                map: "m".into(),
                arity
            }
        );
    }
    assert_eq!(
        Map::new("m", &set, &set, 65_535, vec![0; 65_535])
            .unwrap()
            .arity(),
        65_535
    );
}

#[test]
fn a_map_has_a_row_for_each_element_halo_included() {
    let (from, to) = (
        Set::with_halo("from", 1, 1, 1).unwrap(),
        Set::new("to", 4).unwrap(),
    );
    let error = Map::new("m", &from, &to, 2, [0; 4]).unwrap_err();
    assert!(
        matches!(
            error,
            MeshError::EntryCount {
                expected: 6,
                found: 4,
                ..
            }
        ),
        "{error}"
    );
    let map = Map::new("m", &from, &to, 2, [0, 1, 2, 3, 0, 1]).unwrap();
    assert_eq!(
        (map.entry(2, 1), map.entry(3, 0), map.entry(0, 2)),
        (Some(1), None, None)
    );
}

#[test]
fn entries_are_elements_of_the_set_that_the_map_leads_to() {
    let (from, to) = (
        Set::new("from", 2).unwrap(),
        Set::with_halo("to", 2, 0, 1).unwrap(),
    );
    assert!(
        Map::new("m", &from, &to, 2, [0, 1, 2, 0]).is_ok(),
        "the halo is part of a set"
    );
    for value in [3, -1, -2, i64::MIN, i64::MAX] {
        let error = Map::new("m", &from, &to, 2, [0, 1, value, 0]).unwrap_err();
        let MeshError::EntryOutOfRange {
            row: 1,
            column: 0,
            value: found,
            size: 3,
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(found, value);
    }
    let error = Map::new("m", &from, &to, 2, [0, 1, -1, 0]).unwrap_err();
    assert!(
        error.to_string().contains("declare the map partial"),
        "{error}"
    );
    let partial = Map::partial("m", &from, &to, 2, [0, 1, -1, 0]).unwrap();
    assert!(partial.is_partial());
    assert!(Map::partial("m", &from, &to, 2, [0, 1, -2, 0]).is_err());
}

#[test]
fn a_subset_lists_elements_of_its_set_each_once() {
    let set = Set::with_halo("s", 3, 0, 1).unwrap();
    assert_eq!(Subset::new(&set, [3, 0, 2]).unwrap().elements(), [3, 0, 2]);
    let error = Subset::new(&set, [0, 4]).unwrap_err();
    assert!(
        matches!(
            error,
            MeshError::ElementOutOfRange {
                position: 1,
                element: 4,
                size: 4,
                ..
            }
        ),
        "{error}"
    );
    let error = Subset::new(&set, [2, 0, 2]).unwrap_err();
    assert!(
        matches!(error, MeshError::DuplicateElement { element: 2, .. }),
        "{error}"
    );
    assert_eq!(Subset::sorted(&set, [2, 0, 2]).unwrap().elements(), [0, 2]);
    assert!(Subset::sorted(&set, [9]).is_err());
    assert_eq!(Subset::new(&set, []).unwrap().elements(), [0u32; 0]);
}
