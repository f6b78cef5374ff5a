//! Loops: `for` with a known number of iterations becomes a counted loop, everything else one that costs steps.
//!
//! Counted is what can't wrap, whose counter only its own step changes and whose bound stays the same; see `plan`.

use super::num::{self, Num};
use super::shape::Kind;
use super::stmt::{After, Flow};
use super::unit::Entity;
use super::{Binding, Checked, Checker, Next, Target, flow};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Block, CompareOp, Label, OpenFor, Scalar, Stmt as Ir, Value, Var};
use crate::syntax::ast::{Binary, DeclId, Expr, ExprId, Full, Init, Stmt, StmtId, Unary};

/// A `for` statement.
#[derive(Clone, Copy)]
pub(super) struct ForParts {
    pub(super) init: Option<StmtId>,
    pub(super) cond: Option<Full>,
    pub(super) step: Option<Full>,
    pub(super) body: StmtId,
    pub(super) end: ExprId,
    pub(super) span: Span,
}

/// A `for` that has the form of a counted loop; whether it can wrap is still to be seen.
struct Form {
    counter: DeclId,
    ty: Scalar,
    /// The variable, if it is declared before the loop.
    outside: Option<(Var, bool)>,
    start: Full,
    bound: ExprId,
    compare: Binary,
    step: i64,
}

/// A counted loop's bounds as values.
struct Plan {
    lo: Num,
    hi: Num,
    step: i64,
}

impl Checker<'_, '_> {
    pub(super) fn for_loop(&mut self, parts: ForParts) {
        if let Some(form) = self.form(&parts)
            && self.counted(&parts, &form)
        {
            return;
        }
        if let Some(init) = parts.init {
            self.stmt(init, After::More);
        }
        self.uncounted(parts.cond, parts.body, parts.step, parts.span);
    }

    /// Reads the parts of a counted loop off the tree.
    fn form(&mut self, parts: &ForParts) -> Option<Form> {
        let (init, cond, step) = (parts.init?, parts.cond?, parts.step?);
        let Expr::Binary(compare, left, right) = self.unit.ast.expr(cond.root) else {
            return None;
        };
        let (counter, start) = self.counter(init, &[left, right])?;
        let is_counter = |id: ExprId| self.unit.entity(id) == Entity::Local(counter);
        let (compare, bound) = if is_counter(left) {
            (compare, right)
        } else {
            (mirrored(compare), left)
        };
        let step_value = self.step_of(step, counter)?;
        let local = self.frame.resolved.local(counter);
        let body_start = ExprId(step.root.0 + 1);
        let changed = local.address_taken
            || local.assigned_in(body_start, parts.end)
            || local.assigned_in(cond.start, step.start);
        if changed || !self.is_invariant(cond, counter, parts.end) {
            return None;
        }
        let (ty, outside) = self.counter_type(init, counter)?;
        Some(Form {
            counter,
            ty,
            outside,
            start,
            bound,
            compare,
            step: step_value,
        })
    }

    /// The counter that the first part sets, one of `candidates`, and its start.
    fn counter(&self, init: StmtId, candidates: &[ExprId]) -> Option<(DeclId, Full)> {
        let is_candidate = |decl: DeclId| {
            candidates
                .iter()
                .any(|id| self.unit.entity(*id) == Entity::Local(decl))
        };
        match self.unit.ast.stmt(init) {
            Stmt::Decl(list) => {
                let mut decls = list.range().map(|at| DeclId(at as u32));
                let decl = decls.find(|decl| is_candidate(*decl))?;
                match self.unit.ast.inits[self.unit.ast.decl(decl).init?.index()] {
                    Init::Expr(full) => Some((decl, full)),
                    Init::List(..) | Init::Designated(..) => None,
                }
            }
            Stmt::Expr(full) => {
                let Expr::Assign(None, target, value) = self.unit.ast.expr(full.root) else {
                    return None;
                };
                let Entity::Local(decl) = self.unit.entity(target) else {
                    return None;
                };
                let start = Full {
                    start: full.start,
                    root: value,
                };
                is_candidate(decl).then_some((decl, start))
            }
            _ => None,
        }
    }

    /// The counter's integer type, and its variable if it lives on after the loop.
    fn counter_type(
        &mut self,
        init: StmtId,
        counter: DeclId,
    ) -> Option<(Scalar, Option<(Var, bool)>)> {
        let (ty, outside) = match self.unit.ast.stmt(init) {
            Stmt::Decl(_) => {
                let decl = self.unit.ast.decl(counter);
                let plain = self.unit.ast.derived(decl.ty).is_empty();
                let shape = if plain {
                    self.local_shape(decl).ok()?
                } else {
                    return None;
                };
                if shape.kind != Kind::Scalar || decl.storage.is_static || shape.is_const {
                    return None;
                }
                (shape.scalar, None)
            }
            _ => match self.frame.bindings[self.frame.resolved.index(counter)] {
                Binding::Var(var, scalar, false) => (scalar, Some((var, false))),
                _ => return None,
            },
        };
        ty.is_int().then_some((ty, outside))
    }

    /// The constant that the third part adds to the counter.
    fn step_of(&self, step: Full, counter: DeclId) -> Option<i64> {
        let is_counter = |id: ExprId| self.unit.entity(id) == Entity::Local(counter);
        let constant = |id: ExprId| {
            let full = Full {
                start: id,
                root: id,
            };
            self.constant(full)
                .and_then(Num::integer)
                .and_then(|c| i64::try_from(c).ok())
        };
        let sum = |op: Binary, by: ExprId| match op {
            Binary::Add => constant(by),
            Binary::Sub => constant(by).and_then(i64::checked_neg),
            _ => None,
        };
        let found = match self.unit.ast.expr(step.root) {
            Expr::Unary(Unary::PreIncrement | Unary::PostIncrement, id) if is_counter(id) => {
                Some(1)
            }
            Expr::Unary(Unary::PreDecrement | Unary::PostDecrement, id) if is_counter(id) => {
                Some(-1)
            }
            Expr::Assign(Some(op), id, by) if is_counter(id) => sum(op, by),
            Expr::Assign(None, id, value) if is_counter(id) => match self.unit.ast.expr(value) {
                Expr::Binary(op, a, by) if is_counter(a) => sum(op, by),
                Expr::Binary(Binary::Add, by, b) if is_counter(b) => constant(by),
                _ => None,
            },
            _ => None,
        };
        found.filter(|c| *c != 0 && c.unsigned_abs() < 1 << 31)
    }

    /// Whether the condition reads the counter once and nothing else that may change before `end`.
    fn is_invariant(&self, cond: Full, counter: DeclId, end: ExprId) -> bool {
        let mut counters = 0;
        for at in cond.start.0..=cond.root.0 {
            let id = ExprId(at);
            let steady = match self.unit.ast.expr(id) {
                Expr::Name(_) => match self.unit.entity(id) {
                    Entity::Local(decl) if decl == counter => {
                        counters += 1;
                        true
                    }
                    Entity::Local(decl) => {
                        let local = self.frame.resolved.local(decl);
                        !local.address_taken && !local.assigned_in(cond.start, end)
                    }
                    Entity::None => false,
                    _ => true,
                },
                Expr::Literal(_) | Expr::Bool(_) | Expr::Cast(..) => true,
                Expr::Conditional(..) | Expr::SizeofType(_) | Expr::SizeofValue(_) => true,
                Expr::Binary(op, ..) => op != Binary::Comma,
                Expr::Unary(op, _) => {
                    matches!(op, Unary::Plus | Unary::Neg | Unary::Not | Unary::BitNot)
                }
                Expr::Assign(..) | Expr::Call(..) | Expr::Index(..) => false,
            };
            if !steady {
                return false;
            }
        }
        counters == 1
    }

    /// Emits a counted loop; false, with nothing emitted, if it might wrap.
    fn counted(&mut self, parts: &ForParts, form: &Form) -> bool {
        let errors = self.unit.errors.len();
        self.b.open();
        let plan = self.plan(parts, form);
        let block = self.b.close();
        let Ok(Some(plan)) = plan else {
            // The loop is walked again in its general form, which reports what is wrong.
            self.unit.errors.truncate(errors);
            return false;
        };
        for stmt in block {
            self.b.push(stmt);
        }
        match form.outside {
            None => {
                self.counted_body(parts, form, &plan, None);
            }
            Some((var, _)) => self.counted_outside(parts, form, &plan, var),
        }
        true
    }

    /// The bounds, if the counter provably does not wrap.
    fn plan(&mut self, parts: &ForParts, form: &Form) -> Checked<Option<Plan>> {
        self.declare_others(parts, form);
        let start = self.num(form.start.root)?;
        let start = self.convert(start, form.ty);
        let bound = self.num(form.bound)?;
        let common = num::common(form.ty, bound.ty);
        if common.is_float() {
            return Ok(None);
        }
        let (least, greatest) = range_of(bound);
        let fits = |v: i128| (num::range(common).0..=num::range(common).1).contains(&v);
        let (least, greatest) = if fits(least) && fits(greatest) {
            (least, greatest)
        } else {
            num::range(common)
        };
        let bound = self.convert(bound, common);
        let Some(compare) = direction(form, start, bound) else {
            return Ok(None);
        };
        let (bottom, top) = num::range(form.ty);
        let step = i128::from(form.step);
        let stays = match compare {
            Binary::Lt => greatest - 1 + step <= top,
            Binary::Le => greatest + step <= top,
            Binary::Gt => least + 1 + step >= bottom,
            Binary::Ge => least + step >= bottom,
            _ => true,
        };
        let first = range_of(start);
        // The counter is compared as `common` and counted in 64 bits.
        let same_sign = common.is_signed() || !form.ty.is_signed() || first.0 >= 0;
        let limit = i128::from(i64::MAX) - 1;
        if !stays || !same_sign || greatest > limit || first.1 > limit || least <= -limit {
            return Ok(None);
        }
        let lo = self.convert(start, Scalar::I64);
        let hi = self.convert(bound, Scalar::I64);
        let hi = match compare {
            Binary::Le => self.arithmetic(Binary::Add, hi, Num::index(1), parts.span)?,
            Binary::Ge => self.arithmetic(Binary::Sub, hi, Num::index(1), parts.span)?,
            _ => hi,
        };
        Ok(Some(Plan {
            lo,
            hi,
            step: form.step,
        }))
    }

    /// Declares what the first part declares besides the counter.
    fn declare_others(&mut self, parts: &ForParts, form: &Form) {
        if let Some(init) = parts.init
            && let Stmt::Decl(list) = self.unit.ast.stmt(init)
        {
            for at in list.range() {
                let decl = DeclId(at as u32);
                if decl != form.counter {
                    self.declare(decl);
                }
            }
        }
    }

    fn open_counted(&mut self, parts: &ForParts, plan: &Plan) -> OpenFor {
        let (lo, hi) = (self.value(plan.lo), self.value(plan.hi));
        self.sites.push(parts.span);
        self.b.open_for(lo, hi, plan.step)
    }

    /// The loop itself. With `tracked`, that variable holds the counter throughout.
    fn counted_body(&mut self, parts: &ForParts, form: &Form, plan: &Plan, tracked: Option<Var>) {
        let open = self.open_counted(parts, plan);
        let counter = Num::value(Scalar::I64, open.counter);
        let counter = self.convert(counter, form.ty);
        self.bind(form.counter, Binding::Fixed(counter));
        let Some(var) = tracked else {
            let target = Target {
                break_label: Some(open.label),
                next: Next::Continue(open.label),
            };
            self.loop_body(parts.body, target);
            self.b.close_for(open);
            return;
        };
        let value = self.value(counter);
        self.b.set(var, value);
        let target = Target {
            break_label: Some(open.label),
            next: Next::Leave(None),
        };
        let (reached, block) = self.body_block(parts.body, target);
        block.into_iter().for_each(|stmt| self.b.push(stmt));
        if reached {
            let step = num::from_integer(i128::from(plan.step), form.ty);
            let step = self.b.constant(step, form.ty);
            let next = self.b.binary(BinaryOp::Add, value, step);
            self.b.set(var, next);
        }
        self.b.close_for(open);
    }

    /// A counter declared before the loop has its last value afterwards.
    fn counted_outside(&mut self, parts: &ForParts, form: &Form, plan: &Plan, var: Var) {
        let known = final_value(plan);
        let simple =
            !flow::breaks(self.unit, parts.body) && (known.is_some() || plan.step.abs() == 1);
        if !simple {
            let start = self.converted(plan.lo, form.ty);
            self.b.set(var, start);
            self.counted_body(parts, form, plan, Some(var));
        } else {
            let (lo, hi) = (self.value(plan.lo), self.value(plan.hi));
            let held = Plan {
                lo: hold(plan.lo, lo),
                hi: hold(plan.hi, hi),
                step: plan.step,
            };
            self.counted_body(parts, form, &held, None);
            let last = match known {
                Some(value) => self.b.constant(num::from_integer(value, form.ty), form.ty),
                None => self.last_value(lo, hi, plan.step, form.ty),
            };
            self.b.set(var, last);
        }
        self.bind(form.counter, Binding::Var(var, form.ty, false));
    }

    /// `hi` if the loop ran at all, else `lo`.
    fn last_value(&mut self, lo: Value, hi: Value, step: i64, ty: Scalar) -> Value {
        let op = if step > 0 {
            CompareOp::Lt
        } else {
            CompareOp::Gt
        };
        let ran = self.b.compare(op, lo, hi);
        let last = self.b.select(ran, hi, lo);
        self.b.convert(last, ty)
    }

    /// The body of a loop, in the block that is open.
    fn loop_body(&mut self, body: StmtId, target: Target) -> (Flow, Target) {
        self.targets.push(target);
        self.loops += 1;
        let in_switch = std::mem::take(&mut self.in_switch);
        let flow = self.stmt(body, After::More);
        self.in_switch = in_switch;
        self.loops -= 1;
        (flow, self.targets.pop().unwrap_or(target))
    }

    /// The body as a block that `continue` leaves; whether its end is reached.
    fn body_block(&mut self, body: StmtId, target: Target) -> (bool, Block) {
        self.b.open();
        let (flow, target) = self.loop_body(body, target);
        let body = self.b.close();
        match target.next {
            Next::Leave(Some(label)) => (true, vec![Ir::Block { label, body }]),
            _ => (flow == Flow::Next, body),
        }
    }

    /// A loop that costs steps: `while (cond) { body; step; }`.
    fn uncounted(&mut self, cond: Option<Full>, body: StmtId, step: Option<Full>, span: Span) {
        let label = self.b.body.label();
        let site = self.site(span);
        self.b.open();
        self.loops += 1;
        if let Some(cond) = cond {
            self.exit_unless(cond, label);
        }
        let next = match step {
            Some(_) => Next::Leave(None),
            None => Next::Continue(label),
        };
        let target = Target {
            break_label: Some(label),
            next,
        };
        let (reached, block) = self.body_block(body, target);
        block.into_iter().for_each(|stmt| self.b.push(stmt));
        if let Some(step) = step {
            self.dead += u32::from(!reached);
            self.b.open();
            self.effects(step);
            let block = self.b.close();
            self.dead -= u32::from(!reached);
            if reached {
                block.into_iter().for_each(|stmt| self.b.push(stmt));
            }
        }
        self.loops -= 1;
        let body = self.b.close();
        self.b.push(Ir::Loop { label, site, body });
    }

    fn exit_unless(&mut self, cond: Full, label: Label) {
        let Ok(cond) = self.condition(cond.root) else {
            return;
        };
        if cond.bits() == Some(1) {
            return;
        }
        let cond = self.value(cond);
        self.b.push(Ir::If {
            cond,
            then: Block::new(),
            other: vec![Ir::Exit(label)],
        });
    }

    pub(super) fn while_loop(&mut self, cond: Full, body: StmtId, span: Span) {
        self.uncounted(Some(cond), body, None, span);
    }

    pub(super) fn do_loop(&mut self, body: StmtId, cond: Full, span: Span) {
        if self.constant(cond).is_some_and(|c| Self::is_integer(c, 0)) {
            self.once(body);
            return;
        }
        let label = self.b.body.label();
        let site = self.site(span);
        self.b.open();
        let target = Target {
            break_label: Some(label),
            next: Next::Leave(None),
        };
        let (reached, block) = self.body_block(body, target);
        block.into_iter().for_each(|stmt| self.b.push(stmt));
        self.loops += 1;
        if reached {
            self.exit_unless(cond, label);
        } else {
            self.dead += 1;
            self.b.open();
            self.effects(cond);
            self.b.close();
            self.dead -= 1;
        }
        self.loops -= 1;
        let body = self.b.close();
        self.b.push(Ir::Loop { label, site, body });
    }

    /// `do { .. } while (0)`: runs once; `break` and `continue` both leave it.
    fn once(&mut self, body: StmtId) {
        self.targets.push(Target {
            break_label: None,
            next: Next::Leave(None),
        });
        self.b.open();
        self.stmt(body, After::More);
        let mut block = self.b.close();
        let target = self.targets.pop();
        let labels = target.map(|t| match t.next {
            Next::Leave(next) => [next, t.break_label],
            _ => [None, t.break_label],
        });
        for label in labels.into_iter().flatten().flatten() {
            block = vec![Ir::Block { label, body: block }];
        }
        block.into_iter().for_each(|stmt| self.b.push(stmt));
    }
}

/// The same number as a value that exists already.
fn hold(num: Num, value: Value) -> Num {
    match num.bits() {
        Some(_) => num,
        None => Num::value(num.ty, value),
    }
}

fn range_of(num: Num) -> (i128, i128) {
    match num.integer() {
        Some(value) => (value, value),
        None => num::range(num.ty),
    }
}

/// The comparison with its sides exchanged.
fn mirrored(compare: Binary) -> Binary {
    match compare {
        Binary::Lt => Binary::Gt,
        Binary::Le => Binary::Ge,
        Binary::Gt => Binary::Lt,
        Binary::Ge => Binary::Le,
        other => other,
    }
}

/// The comparison as one that fits the step's direction; `!=` only where it certainly hits its bound.
fn direction(form: &Form, start: Num, bound: Num) -> Option<Binary> {
    match (form.compare, form.step > 0) {
        (Binary::Lt | Binary::Le, true) | (Binary::Gt | Binary::Ge, false) => Some(form.compare),
        (Binary::Ne, up) => {
            let distance = bound.integer()? - start.integer()?;
            let step = i128::from(form.step);
            let hits = distance % step == 0 && distance / step >= 0;
            hits.then_some(if up { Binary::Lt } else { Binary::Gt })
        }
        _ => None,
    }
}

/// The counter after the loop, if its bounds are constants.
fn final_value(plan: &Plan) -> Option<i128> {
    let (lo, hi) = (plan.lo.integer()?, plan.hi.integer()?);
    let step = i128::from(plan.step);
    let distance = hi - lo;
    if distance.signum() != step.signum() {
        return Some(lo);
    }
    let count = (distance.abs() + step.abs() - 1) / step.abs();
    Some(lo + count * step)
}
