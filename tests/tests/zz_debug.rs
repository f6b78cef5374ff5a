//! Prints stages.
use parloop_compiler::*;
use parloop_tests::case::Case;
use parloop_tests::ways::*;
#[test]
fn show() {
    let file = std::fs::read_to_string(std::env::var("CORPUS").unwrap()).unwrap();
    let name = std::env::var("CASE").unwrap();
    for case in Case::corpus(&file)
        .into_iter()
        .filter(|c| c.name.contains(&name))
    {
        let front = case.check().unwrap();
        struct P;
        impl Watch for P {
            fn passed(&mut self, s: Stage, r: &dyn std::fmt::Display) {
                println!("=== {s:?}\n{r}");
            }
        }
        println!("{}\n{}", case.text, front.checked.kernel);
        let _ = compile_watched(&request(&front, Mode::native(FloatMode::Strict)), &mut P);
        println!("{}", parloop_tests::oracle::c_file(&case, &front, true));
    }
}
